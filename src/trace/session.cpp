// SPDX-License-Identifier: Apache-2.0
#include "trace/session.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

#include "base/log.hpp"
#include "kernel/cgroup_fs.hpp"
#include "kernel/containers.hpp"
#include "kernel/sysctl.hpp"
#include "trace/host.hpp"
#include "trace/privileges.hpp"
#include "trace/resources.hpp"
#include "trace/translate.hpp"

namespace twtrace::trace {
namespace {

constexpr std::size_t kDrainLimit = 1'000'000;
constexpr std::uint64_t kMaxBuckets = 1U << 20U;
/// Destinations whose ports in use are shown.
constexpr std::size_t kMaxDestinations = 10'000;

double seconds(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e9; }

/// Room for every bucket of the largest table, with some for those just removed.
std::uint32_t bucket_capacity(std::uint64_t largest_limit) {
  const std::uint64_t wanted = largest_limit + largest_limit / 4;
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(wanted, 65536, kMaxBuckets));
}

constexpr const char* kUnknownWithoutReaders =
    "limits and settings of other network namespaces stay unknown before an event there";

/// The largest limit of all namespaces, if they can be read, else our own limit. It sizes the maps.
std::uint64_t largest_limit(base::Result<loader::NamespaceReader>& namespaces) {
  std::uint64_t largest = kernel::Sysctl().read_u64(kernel::kTcpMaxTwBuckets).value_or(0);
  if (!namespaces) return largest;
  const auto readings = namespaces->read(false);
  if (!readings) return largest;
  for (const tw_namespace_reading& reading : *readings) {
    largest = std::max<std::uint64_t>(largest, reading.limit);
  }
  return largest;
}

/// Small maps mean that memory is short: keep fewer peers, too.
std::size_t peers_beside(const loader::MapSizes& sizes) {
  constexpr std::size_t kMostPeers = 100'000;
  return kMostPeers * sizes.rows / TW_MAX_ROWS;
}

/// nullptr if there is nothing that it could do better.
std::shared_ptr<NameHelper> start_helper(const SessionOptions& options) {
  if (!options.name_helper) return nullptr;
  auto started = NameHelper::start();
  if (started) return *started;
  spdlog::warn("{}: some containers and namespaces stay without a name", started.error().what);
  return nullptr;
}

/// If the helper has ended, perhaps because of a file that never answers, this process does not read that file.
kernel::ContainerLookup container_lookup(std::shared_ptr<NameHelper> helper) {
  return [helper = std::move(helper)](const kernel::ContainerQuery& query) {
    return helper ? helper->container(query) : kernel::find_container("/", query);
  };
}

/// What to tell a user for whom no backend could be opened.
base::Error explained(base::Error error, const loader::Features& features, const SessionOptions& options) {
  if (error.code == base::ErrorCode::kPermission) {
    if (auto permitted = explain_refusal(!features.memcg_charged); !permitted) return permitted.error();
  }
  if (error.hint.empty()) name_address_space_limit(error);
  if (options.backend) {
    error.hint += (error.hint.empty() ? "" : "; ") + std::string(kWithoutProbe);
  } else if (error.hint.empty()) {
    error.hint = "twtrace doctor tells what this kernel lacks";
  }
  return error;
}

}  // namespace

Session::Session(loader::Tracer tracer, const KernelClock& kernel_clock, Services services, Namespaces netns,
                 const SessionOptions& options)
    : kernel_clock_(kernel_clock),
      tracer_(std::move(tracer)),
      services_(std::move(services)),
      netns_(std::move(netns)),
      scan_(options.scan_budget_ns, !loader::sees_removal(tracer_.backend())),
      rows_(options.max_rows),
      events_(peers_beside(tracer_.sizes())),
      tending_ns_(options.tending_ns),
      port_count_(kMaxDestinations, options.scan_budget_ns) {}

base::Result<Session> Session::start(const SessionOptions& options) {
  const std::shared_ptr<NameHelper> helper = start_helper(options);  // before there is anything that it may not hold
  const auto room = prepare_resources();
  if (!room) return tl::unexpected(room.error());
  auto features = loader::probe_features(options.btf_path, options.no_features);
  if (!features) return tl::unexpected(features.error());
  if (auto permitted = check_privileges(false); !permitted) return tl::unexpected(permitted.error());
  std::optional<kernel::CgroupFs> cgroups;
  if (auto opened = kernel::CgroupFs::open(kernel::Procfs())) {
    cgroups = std::move(*opened);
  } else {
    spdlog::warn("services cannot be named: {}", opened.error().what);
  }

  loader::ReaderOptions reader_options{options.btf_path, options.reader_run_ns, std::nullopt};
  auto namespaces = loader::NamespaceReader::open(*features, reader_options);
  loader::TracerOptions tracer_options;
  tracer_options.backend = options.backend;
  tracer_options.btf_path = options.btf_path;
  tracer_options.sizes.ring_bytes = options.ring_bytes;
  tracer_options.sizes.namespaces = options.namespaces;
  tracer_options.sizes.cgroups = options.cgroups;
  tracer_options.sizes.buckets = bucket_capacity(largest_limit(namespaces));
  tracer_options.match_local_port = options.local_port;
  tracer_options.match_remote_port = options.remote_port;
  tracer_options.sweep_slice = options.sweep_slice;
  tracer_options.cgroup_v1 = cgroups && cgroups->choose() == kernel::HierarchyChoice::kV1Systemd;
  if (tracer_options.cgroup_v1 && !features->probe_read) {
    spdlog::warn("services cannot be named: cgroup v1 needs bpf_probe_read_kernel, which this kernel forbids");
  }
  const auto plan = plan_maps_here(tracer_options.sizes, *room);
  if (!plan) return tl::unexpected(plan.error());
  auto opened = open_tracer(*features, tracer_options, *plan);
  if (!opened) return tl::unexpected(explained(opened.error(), *features, options));
  if (!opened->notice.empty()) spdlog::warn("{}", opened->notice);

  reader_options.tracer = opened->tracer.state();
  auto readers = std::move(namespaces).and_then([&](loader::NamespaceReader&& reader) {
    return loader::Readers::open(std::move(reader), *features, reader_options);
  });
  if (!readers && !loader::sees_removal(opened->tracer.backend())) return tl::unexpected(readers.error());
  if (!readers) spdlog::warn("counters come from /proc, and {}: {}", kUnknownWithoutReaders, readers.error().what);
  Namespaces netns(readers ? std::optional(std::move(*readers)) : std::nullopt, features->counts_at_creation,
                   options.netns_readings);
  if (helper) netns.search_by([helper](kernel::NetnsSearch search) { return helper->namespaces(search); });
  Services services(std::move(cgroups), kernel::Procfs(), container_lookup(helper), helper);
  const auto kernel_now = opened->tracer.boottime_ns();
  if (!kernel_now) return tl::unexpected(kernel_now.error());
  const KernelClock kernel_clock(base::SystemClock(), *kernel_now);
  Session session(std::move(opened->tracer), kernel_clock, std::move(services), std::move(netns), options);
  session.netns_.add_existing();
  session.name_namespaces();
  session.enable();
  return session;
}

void Session::begin_refusals() {
  if (loader::sees_refusal(tracer_.backend()) || netns_.readers() == nullptr) return;
  if (const auto pass = netns_.readers()->namespaces().read(true)) tracer_.begin_refusals(*pass);
}

void Session::enable() {
  begin_refusals();
  tracer_.set_enabled(true);
  started_ns_ = sampled_ns_ = clock_.monotonic_ns();
  slept_ns_ = slept_ns();
  cpu_ns_ = base::process_cpu_ns();
  if (netns_.readers() != nullptr) queues_.start(*netns_.readers());
  netns_.narrow_start([this] { return tracer_.namespaces(); });
  scan(true);
}

void Session::scan(bool whole) {
  loader::Readers* readers = netns_.readers();
  if (readers == nullptr) return;
  scan_.advance(tracer_, *readers, whole, [this](const TableScan::Gone& gone) { report_gone(gone); });
}

void Session::look_at_queues(bool is_sample) {
  if (!queues_.has_started()) return;
  report_drops(queues_.look(
      *netns_.readers(), tracer_,
      [this, names = names()](std::uint32_t slot, const tw_row& row) -> const model::Identity& {
        return rows_.identity(slot, row, names);
      },
      is_sample));
}

/// No hook shows a drop, so they become events here.
void Session::report_drops(const std::vector<ListenQueues::RowDrops>& dropped) {
  if (!events_.has_handler()) return;
  const EventFeed::Context context = event_context();
  for (const auto& [slot, netns_id, drops] : dropped) {
    model::Event event = to_drop_event(drops, clock_.unix_ms());
    if (const tw_row* row = tracer_.row_at(slot)) {
      event.local_port = row->key.port;
      events_.hand_on(std::move(event), slot, row->key.netns, context);
      continue;
    }
    if (const auto id = netns_.directory().id_of(netns_id)) set_namespace(event, *id);
    events_.hand_on(event);
  }
}

base::Result<void> Session::drain() {
  if (auto drained = drain_ring(); !drained) return drained;
  tend();
  return {};
}

base::Result<void> Session::drain_ring() {
  const EventFeed::Context context = event_context();
  events_.begin_drain(kernel_clock_.wall_offset_ms(clock_));
  const auto drained = tracer_.drain([&](const tw_event& record) { events_.take(record, context); }, kDrainLimit);
  if (!drained) return tl::unexpected(drained.error());
  events_.end_drain(context);
  return {};
}

/// From then on the name of the container is known, too. Its engine may remove its files before it closes a socket.
void Session::name_namespaces() {
  if (services_.is_late()) return;
  netns_.name_containers(
      [this](std::uint32_t pid) { return base::container_name(services_.of_process(pid, recorded_paths())); });
}

Services::RecordedPath Session::recorded_paths() const {
  return [this](std::uint64_t cgroup_id) { return tracer_.cgroup_path(cgroup_id); };
}

std::uint32_t Session::netns_id_at(std::uint32_t slot) { return netns_.id_at(slot, tracer_.namespaces()); }

Rows::Names Session::names() {
  return {[this](std::uint32_t slot) { return netns_id_at(slot); },
          [this](std::uint64_t cgroup_id) -> const base::Service& {
            return services_.of_cgroup(cgroup_id, recorded_paths());
          },
          [this](const tw_row& row) { return tracer_.ports_of(row); }};
}

/// nullptr if the programs see how buckets end.
const LiveScan* Session::live_scan() const { return loader::sees_removal(tracer_.backend()) ? nullptr : &scan_; }

void Session::set_namespace(model::Event& event, NamespaceDirectory::Id id) const {
  const NamespaceDirectory::Entry& netns = netns_.directory().entries().at(id);
  event.netns_id = id;
  event.netns = netns.inum;
  event.netns_name = netns.name;
}

EventFeed::Context Session::event_context() {
  return {[this, names = names()](std::uint32_t slot) -> std::optional<EventFeed::Owner> {
            const tw_row* row = tracer_.row_at(slot);
            if (row == nullptr) return std::nullopt;
            return EventFeed::Owner{row->first_ns, rows_.identity(slot, *row, names)};
          },
          [this](model::Event& event, std::uint32_t slot) { set_namespace(event, netns_id_at(slot)); }};
}

Rows::Facts Session::row_facts() {
  const Rows::Processes processes{tracer_.process_exits(),
                                  [this](const tw_row_key& key) { return tracer_.is_alive(key); }};
  return {names(), processes, live_scan()};
}

void Session::read_before_start() {
  const BeforeStartNames names{
      [this](std::uint64_t netns_id) { return netns_.directory().id_of(netns_id); },
      [this](std::uint64_t cgroup_id) { return services_.of_cgroup(cgroup_id, recorded_paths()); }};
  auto older = before_start(scan_.older_rows(), scan_.listeners(), rows_.table(), names);
  rows_.set_before_start(std::move(older.rows));
  events_.set_before_start(older.peers);
}

void Session::retire_ended_rows() {
  const auto is_gone = [this](std::uint32_t netns_slot) { return slot_returns_.is_unlinked(netns_slot); };
  const Rows::GiveBack give_back{[this](std::uint32_t slot) { return tracer_.unlink_row(slot); },
                                 [this](std::uint32_t slot) { tracer_.free_row(slot); }};
  for (const std::uint32_t slot : rows_.retire(tracer_.rows(), live_scan(), is_gone, give_back)) {
    scan_.forget_row(slot);
  }
  tended_ns_ = clock_.monotonic_ns();
}

void Session::tend() {
  if (clock_.monotonic_ns() - tended_ns_ < tending_ns_) return;
  if (live_scan() != nullptr) scan(false);
  netns_.look(tracer_.namespaces());
  name_namespaces();
  look_at_queues(false);
  settle_felt(false);
  rows_.look(tracer_.rows(), row_facts());
  retire_ended_rows();
  give_back();
}

/// What no row refers to any more: slots of namespaces, paths of cgroups.
void Session::give_back() {
  std::set<std::uint32_t> namespaces;
  std::unordered_set<std::uint64_t> cgroups;
  for (const tw_row& row : tracer_.rows()) {
    if (!loader::is_published(row)) continue;
    namespaces.insert(row.key.netns);
    cgroups.insert(row.key.cgroup_id);
  }
  give_back_namespaces(namespaces);
  services_.give_back(cgroups, tracer_.sizes().cgroups / 2,
                      [this](std::uint64_t cgroup_id) { return tracer_.forget_cgroup(cgroup_id); });
}

void Session::give_back_namespaces(const std::set<std::uint32_t>& in_rows) {
  for (const std::uint32_t slot : slot_returns_.look(netns_.gone_slots())) {
    if (tracer_.unlink_netns(slot)) slot_returns_.unlinked(slot, clock_.monotonic_ns(), scan_.begun());
  }
  if (!slot_returns_.any_unlinked()) return;
  SlotReturns::PassedSince passed_since;
  if (live_scan() != nullptr) {
    passed_since = [this](std::uint64_t begun) { return scan_.passed_since(begun); };
  }
  for (const std::uint32_t slot : slot_returns_.take_free(in_rows, clock_.monotonic_ns(), passed_since)) {
    netns_.keep_slot(slot, tracer_.netns_at(slot));
    tracer_.release_netns(slot);
  }
}

/// Without a hook at the end of a bucket, its absence from the table is what tells; why it went is not known.
void Session::report_gone(const TableScan::Gone& gone) {
  if (!events_.has_handler() || live_scan() == nullptr) return;
  const EventFeed::Context context = event_context();
  for (const loader::SweptBucket& swept : gone.seen) {
    events_.hand_on(to_event(swept, clock_.unix_ms(), kernel_clock_.boottime_ns(clock_)), swept.bucket.row,
                    swept.bucket.netns, context);
  }
  for (const tw_socket_reading& older : gone.older) {
    model::Event event = to_event(older, clock_.unix_ms());
    if (const auto id = netns_.directory().id_of(older.netns_id)) set_namespace(event, *id);
    events_.hand_on(event);
  }
}

void Session::count_ports(bool last) {
  if (netns_.readers() == nullptr) return;
  if (const auto counted = port_count_.advance(*netns_.readers(), netns_.directory(), last); !counted) {
    spdlog::info("ports in use cannot be counted: {}", counted.error().what);
  }
}

/// Has the resets counted that processes feel and whose sockets they have not closed. `last`: at any cost.
void Session::settle_felt(bool last) {
  loader::FeltResets& felt = tracer_.felt_resets();
  if (felt.waiting() == 0 || !(last || felt_looks_.is_due(clock_.monotonic_ns()))) return;
  const std::uint64_t begin = base::process_cpu_ns();
  if (const auto settled = felt.settle(); !settled) {
    spdlog::info("not all processes that feel a reset are known: {}", settled.error().what);
  }
  felt_looks_.ran(clock_.monotonic_ns(), base::process_cpu_ns() - begin);
}

base::Result<void> Session::sample(bool last) {
  settle_felt(last);  // before the ring is read, into which it puts events
  if (auto drained = drain_ring(); !drained) return drained;
  count_ports(last);
  netns_.add_new(tracer_.namespaces());
  netns_.read_before(tracer_.namespaces(), last);
  const bool by_scan = live_scan() != nullptr;
  if (by_scan || !scan_.older().empty()) scan(last);

  const std::uint64_t now = clock_.monotonic_ns();
  interval_s_ = seconds(now - sampled_ns_);
  sampled_ns_ = now;
  const std::uint64_t slept = slept_ns();
  suspended_s_ = seconds(slept - std::min(slept_ns_, slept));
  slept_ns_ = slept;
  sampled_unix_ms_ = clock_.unix_ms();
  sampled_boottime_ns_ = kernel_clock_.boottime_ns(clock_);
  rows_.begin_interval();
  events_.begin_interval();
  look_at_queues(true);
  rows_.read(tracer_.rows(), row_facts());
  read_before_start();
  netns_.add_new(tracer_.namespaces());
  const auto ours = rows_.counts_by_netns();
  const std::vector<tw_netns> slots(tracer_.namespaces().begin(), tracer_.namespaces().end());
  const auto forgotten = netns_.observe(ours, slots, sight(), scan_.counted_ns() ? &scan_.older() : nullptr, last);
  rows_.move(forgotten, NamespaceDirectory::kOther);
  name_namespaces();
  retire_ended_rows();
  give_back();
  measure_cost();
  return {};
}

/// How long the host has slept since boot. The smaller of two readings: this process may be held up between the clocks.
std::uint64_t Session::slept_ns() const {
  const auto read = [this] {
    const std::uint64_t awake_ns = clock_.monotonic_ns();
    return clock_.boottime_ns() - awake_ns;
  };
  const std::uint64_t slept = std::min(read(), read());
  return slept - slept % 1'000'000U;
}

void Session::measure_cost() {
  const std::uint64_t cpu_ns = base::process_cpu_ns();
  if (interval_s_ > 0) cost_.cpu_percent = seconds(cpu_ns - cpu_ns_) / interval_s_ * 100;
  cpu_ns_ = cpu_ns;
  if (const auto statm = procfs_.read("self/statm")) {
    unsigned long total = 0;
    unsigned long resident = 0;
    if (std::sscanf(statm->c_str(), "%lu %lu", &total, &resident) == 2) {
      cost_.rss_bytes = resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    }
  }
  const auto statistics = kernel::Sysctl().read_u64(kernel::kBpfStatsEnabled);
  cost_.bpf_run_ns_per_event.reset();
  cost_.bpf_run_ns_of.clear();
  if (!statistics || *statistics == 0) return;
  loader::RunStats runs = tracer_.run_stats();
  std::uint64_t events = 0;
  for (const auto& [netns, counts] : rows_.counts_by_netns()) events += counts.created() + counts.refused();
  if (events > 0) {
    cost_.bpf_run_ns_per_event = static_cast<double>(runs.run_ns) / static_cast<double>(events);
  }
  cost_.bpf_run_ns_of = std::move(runs.run_ns_of);
}

model::Sight Session::sight() const {
  model::Sight sees;
  sees.removal = loader::sees_removal(tracer_.backend());
  sees.no_port = tracer_.sees_no_port();
  sees.resets_received = tracer_.sees_resets_received();
  sees.resets_sent = tracer_.sees_resets_sent();
  sees.queue_drops = queues_.has_started();
  sees.no_port_bind = tracer_.sees_no_port_bind();
  return sees;
}

model::Snapshot Session::head() const {
  model::Snapshot head;
  head.time_unix_ms = sampled_unix_ms_;
  head.boottime_ns = sampled_boottime_ns_;
  head.interval_s = interval_s_;
  head.suspended_s = suspended_s_;
  head.uptime_s = seconds(sampled_ns_ - started_ns_);
  head.host = host_info();
  head.probe.backend = loader::to_string(tracer_.backend());
  head.probe.fallbacks = tracer_.fallbacks();
  head.probe.sees = sight();
  if (!head.probe.sees.removal) {
    head.probe.fallbacks.emplace_back(
        "tracepoint: the end of buckets is not seen, so expired, reused, recycled "
        "and purged are unknown; live comes from scans of the table");
  }
  if (head.probe.sees.resets_sent && !tracer_.sees_all_resets_sent()) {
    head.probe.fallbacks.emplace_back(
        "tracepoint: before Linux 6.10 it does not show resets from buckets and resets without a socket; "
        "missed.resets_sent says how many");
  }
  if (!head.probe.sees.no_port_bind && tracer_.backend() == loader::Backend::kTracepoint) {
    head.probe.fallbacks.emplace_back(
        "tracepoint: a bind() that finds no free local port is not seen, so no_port_bind is unknown, and no_port "
        "counts connect() alone");
  }
  for (const std::string& missing : tracer_.missing_programs()) head.probe.fallbacks.push_back(missing);
  head.namespaces = netns_.rows(interval_s_);
  for (const model::NetnsRow& netns : head.namespaces) {
    head.totals += netns.counts;
    head.unattributed += netns.unattributed;
  }
  if (head.probe.sees.removal) {
    head.live_age_s = 0;
  } else if (const auto counted_ns = scan_.counted_ns()) {
    head.live_age_s = seconds(sampled_ns_ - std::min(*counted_ns, sampled_ns_));
  }
  head.lost = to_losses(tracer_.stats(), tracer_.run_stats().recursion_misses);
  head.cost = cost_;
  head.port_use = port_count_.uses();
  head.queues = queues_.queues(netns_.directory(), interval_s_);
  return head;
}

void Session::with_source(const std::function<void(const model::Source&)>& use) const {
  const std::vector<model::NetnsInfo> namespaces = netns_.infos();
  use(model::CurrentSource(rows_.table(), events_.peers(), namespaces));
}

void Session::append_to(model::History& history) const {
  with_source([&](const model::Source& source) { history.append(std::make_shared<model::Snapshot>(head()), source); });
}

}  // namespace twtrace::trace
