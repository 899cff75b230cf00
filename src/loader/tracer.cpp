// SPDX-License-Identifier: Apache-2.0
#include "loader/tracer.hpp"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <string_view>

#include "base/log.hpp"
#include "kernel/cpu_list.hpp"
#include "loader/growing_array.hpp"
#include "loader/libbpf_log.hpp"
#include "loader/libbpf_ptr.hpp"
#include "loader/load_error.hpp"
#include "loader/mapped_array.hpp"
#include "loader/sweep.hpp"
#include "loader/trace_programs.hpp"

namespace twtrace::loader {
namespace {

/// The programs that every answer of a backend depends on. Without the others only reasons of removals are missing.
bool is_essential(std::string_view name) {
  for (const char* part :
       {"send_fin", "twsk_alloc", "destroy_sock", "twsk_destructor", "on_tracepoint_", "process_exit"}) {
    if (name.find(part) != std::string_view::npos) return true;
  }
  return false;
}

constexpr std::size_t kStep = 256;

/// Slots are handed out in ascending order. So after a step without a slot in use, there are no more. `limit` grows.
template <class Slot>
std::span<Slot> handed_out(GrowingArray<Slot>& all, std::size_t& limit) {
  const auto last_step_used = [&] {
    const auto step = all.first(limit).last(kStep);
    return std::any_of(step.begin(), step.end(), is_published<Slot>);
  };
  while (limit < all.size() && last_step_used()) limit += kStep;
  return all.first(limit);
}

}  // namespace

class Tracer::Impl {
 public:
  Impl(Backend which, const Features& features, TracerOptions options)
      : backend(which), features_(features), options_(std::move(options)) {}

  base::Result<void> start();

  const MapSizes& sizes() const { return options_.sizes; }
  const Features& features() const { return features_; }
  bool has_attached(std::initializer_list<std::string_view> any_of) const {
    return std::find_first_of(attached.begin(), attached.end(), any_of.begin(), any_of.end()) != attached.end();
  }

  Backend backend;
  std::vector<std::string> fallbacks;
  std::vector<std::string> missing;
  std::vector<std::string_view> attached;  ///< names of programs
  TracePrograms skeleton;
  std::vector<LinkPtr> links;
  RingPtr ring;
  GrowingArray<tw_row> rows;
  MappedArray<tw_owner_rows> owner_rows;
  MappedArray<tw_ports> many_ports;
  GrowingArray<tw_netns> namespaces;
  std::size_t row_limit = kStep;  ///< slots below may have been handed out, see handed_out()
  std::size_t netns_limit = kStep;
  std::vector<std::byte> no_overflow;  ///< a value of overflow_counters, for every possible CPU: nothing looked up yet
  std::optional<Sweep> sweep;          ///< once started
  std::optional<SocketFiles> files;    ///< empty where the kernel side cannot look at the files of processes
  std::optional<ListenerRows> listener_rows;
  std::optional<FeltResets> felt_resets;  ///< once started

  const std::function<void(const tw_event&)>* handler = nullptr;
  std::size_t remaining = 0;

 private:
  base::Result<void> attach();
  void attach_files();
  base::Result<void> fill_free_slots();
  base::Result<void> fill_free_many_ports();

  Features features_;
  TracerOptions options_;
};

base::Result<void> Tracer::Impl::attach() {
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton->obj) {
    const std::string_view name = bpf_program__name(program);
    if (!bpf_program__autoload(program) || !name.starts_with("on_")) continue;
    const LibbpfLog log;
    LinkPtr link(bpf_program__attach(program));
    const int saved_errno = errno;
    if (link) {
      links.push_back(std::move(link));
      attached.push_back(name);
      continue;
    }
    const base::Error error =
        load_error(saved_errno, log, fmt::format("cannot attach {}", bpf_program__section_name(program)));
    if (is_essential(name)) return tl::unexpected(error);
    missing.push_back(error.what);
  }
  return {};
}

/// A hardened kernel may refuse it. Everything works without it, but fewer processes are known.
void Tracer::Impl::attach_files() {
  if (!features_.probe_read || !features_.task_files) return;
  files.emplace(*skeleton);
  const auto attached_files = files->attach();
  if (attached_files) return;
  missing.push_back(attached_files.error().what);
  files.reset();
}

/// Slots are handed out from the top of a stack, so the lowest numbers are pushed last.
base::Result<void> Tracer::Impl::fill_free_slots() {
  const auto fill = [this](bool is_netns, std::uint32_t count) {
    skeleton->bss->tw_free_slot_is_netns = is_netns ? 1 : 0;
    for (std::uint32_t end = count; end > 0; end -= TW_FREE_SLOTS_PER_RUN) {
      skeleton->bss->tw_free_slot_first = end - TW_FREE_SLOTS_PER_RUN;
      bpf_test_run_opts run{};
      run.sz = sizeof(run);
      const int error = -bpf_prog_test_run_opts(bpf_program__fd(skeleton->progs.push_free_slots), &run);
      if (error != 0 || run.retval != 0) return error != 0 ? error : ENOSPC;
    }
    return 0;
  };
  int error = fill(false, options_.sizes.rows);
  if (error == 0) error = fill(true, options_.sizes.namespaces);
  if (error != 0) return base::fail_errno(error, "cannot fill the free slots");
  return {};
}

base::Result<void> Tracer::Impl::fill_free_many_ports() {
  auto ports = MappedArray<tw_ports>::map(bpf_map__fd(skeleton->maps.many_ports), TW_MAX_MANY, "many_ports");
  if (!ports) return tl::unexpected(ports.error());
  many_ports = std::move(*ports);
  for (std::uint32_t place = 1; place < TW_MAX_MANY; ++place) {
    const int error = bpf_map_update_elem(bpf_map__fd(skeleton->maps.free_many_ports), nullptr, &place, BPF_ANY);
    if (error != 0) return base::fail_errno(errno, "cannot fill the free places of ports");
  }
  return {};
}

base::Result<void> Tracer::Impl::start() {
  auto opened = open_programs(backend, features_, options_);
  if (!opened) return tl::unexpected(opened.error());
  skeleton = std::move(*opened);
  if (auto loaded = load_programs(*skeleton, backend); !loaded) return loaded;
  auto row_array = GrowingArray<tw_row>::reserve(bpf_map__fd(skeleton->maps.rows), options_.sizes.rows, "rows");
  if (!row_array) return tl::unexpected(row_array.error());
  rows = std::move(*row_array);
  auto owner_array =
      MappedArray<tw_owner_rows>::map(bpf_map__fd(skeleton->maps.owner_rows), options_.sizes.rows, "owner_rows");
  if (!owner_array) return tl::unexpected(owner_array.error());
  owner_rows = std::move(*owner_array);
  auto netns_array =
      GrowingArray<tw_netns>::reserve(bpf_map__fd(skeleton->maps.namespaces), options_.sizes.namespaces, "namespaces");
  if (!netns_array) return tl::unexpected(netns_array.error());
  namespaces = std::move(*netns_array);
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) return base::fail_errno(-cpus, "cannot count the possible CPUs");
  no_overflow.resize(bpf_map__value_size(skeleton->maps.overflow_counters) * static_cast<std::size_t>(cpus));
  if (auto filled = fill_free_slots(); !filled) return filled;
  if (auto filled = fill_free_many_ports(); !filled) return filled;
  sweep.emplace(*skeleton, rows, slot_count(options_.sizes), options_.sweep_slice);
  attach_files();
  if (features_.probe_read) listener_rows.emplace(*skeleton, files ? &*files : nullptr);
  felt_resets.emplace(*skeleton, files ? &*files : nullptr);
  const auto on_event = [](void* context, void* data, std::size_t size) {
    auto* self = static_cast<Impl*>(context);
    tw_event event{};
    if (size >= sizeof(event)) {
      std::memcpy(&event, data, sizeof(event));
      (*self->handler)(event);
    }
    return --self->remaining == 0 ? -ECANCELED : 0;
  };
  ring.reset(ring_buffer__new(bpf_map__fd(skeleton->maps.events), on_event, this, nullptr));
  const int saved_errno = errno;
  if (!ring) return base::fail_errno(saved_errno, "cannot map the ring buffer");
  return attach();
}

Tracer::Tracer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tracer::Tracer(Tracer&&) noexcept = default;
Tracer& Tracer::operator=(Tracer&&) noexcept = default;
Tracer::~Tracer() {
  if (impl_ && impl_->skeleton) set_enabled(false);
}

base::Result<Tracer> Tracer::open(const Features& features, const TracerOptions& options) {
  std::vector<std::string> reasons;
  base::ErrorCode code = base::ErrorCode::kUnsupported;
  std::string hint = features.probe_read ? "" : "boot with lockdown=integrity instead";
  for (const Backend backend : kBackends) {
    if (options.backend && *options.backend != backend) continue;
    if (const auto reason = ruled_out(backend, features)) {
      reasons.push_back(fmt::format("{}: {}", to_string(backend), *reason));
      continue;
    }
    if (options.before_backend) options.before_backend();
    auto impl = std::make_unique<Impl>(backend, features, options);
    auto started = impl->start();
    if (started) {
      impl->fallbacks = std::move(reasons);
      return Tracer(std::move(impl));
    }
    // Another backend would need as much memory.
    if (started.error().sys_errno == ENOMEM) return tl::unexpected(started.error());
    reasons.push_back(fmt::format("{}: {}", to_string(backend), started.error().what));
    if (!started.error().hint.empty()) hint = started.error().hint;
    if (started.error().code == base::ErrorCode::kPermission) code = base::ErrorCode::kPermission;
  }
  return base::fail(code, fmt::format("{}: {}", none_works_words(options.backend), fmt::join(reasons, "; ")), hint);
}

Backend Tracer::backend() const { return impl_->backend; }
const MapSizes& Tracer::sizes() const { return impl_->sizes(); }
const std::vector<std::string>& Tracer::fallbacks() const { return impl_->fallbacks; }
const std::vector<std::string>& Tracer::missing_programs() const { return impl_->missing; }

bool Tracer::sees_no_port() const {
  return impl_->has_attached({"on_tracepoint_first", "on_fexit_no_port", "on_raw_no_port"});
}
bool Tracer::sees_no_port_bind() const {
  return impl_->has_attached({"on_fexit_get_port"}) ||
         (impl_->has_attached({"on_kprobe_get_port"}) && impl_->has_attached({"on_kretprobe_get_port"}));
}
bool Tracer::sees_resets_received() const {
  return impl_->has_attached({"on_typed_reset_received", "on_raw_reset_received"});
}
bool Tracer::sees_resets_sent() const { return impl_->has_attached({"on_reset_sent"}); }
bool Tracer::sees_all_resets_sent() const {
  return sees_resets_sent() &&
         (impl_->features().reset_reason || impl_->has_attached({"on_fentry_send_reset", "on_kprobe_send_reset"}));
}

void Tracer::begin_refusals(std::span<const tw_namespace_reading> namespaces) {
  const auto cpus = kernel::possible_cpus();
  if (!cpus) return;
  const int program = bpf_program__fd(impl_->skeleton->progs.begin_refusals);
  for (const tw_namespace_reading& netns : namespaces) {
    if (netns.counters.time_wait_overflow == 0) continue;
    impl_->skeleton->bss->tw_refused_node = netns.node;
    impl_->skeleton->bss->tw_refused_id = netns.id;
    for (const std::uint32_t cpu : *cpus) {
      bpf_test_run_opts run{};
      run.sz = sizeof(run);
      run.flags = BPF_F_TEST_RUN_ON_CPU;
      run.cpu = cpu;
      // It fails for a CPU that is off. That one has no abort to tell from a refusal now.
      static_cast<void>(bpf_prog_test_run_opts(program, &run));
    }
  }
}

void Tracer::set_enabled(bool enabled) {
  __atomic_store_n(&impl_->skeleton->bss->tw_enabled, enabled ? 1U : 0U, __ATOMIC_SEQ_CST);
}

base::Result<std::uint64_t> Tracer::boottime_ns() const {
  bpf_test_run_opts run{};
  run.sz = sizeof(run);
  const int error = -bpf_prog_test_run_opts(bpf_program__fd(impl_->skeleton->progs.read_clock), &run);
  if (error != 0) return base::fail_errno(error, "cannot read the kernel's clock");
  return impl_->skeleton->bss->tw_clock_ns;
}

std::span<const tw_netns> Tracer::namespaces() const { return handed_out(impl_->namespaces, impl_->netns_limit); }
const tw_netns& Tracer::netns_at(std::uint32_t slot) const {
  return impl_->namespaces.at(slot < impl_->namespaces.size() ? slot : TW_NETNS_OTHER);
}

std::span<const tw_row> Tracer::rows() { return handed_out(impl_->rows, impl_->row_limit); }
const tw_row* Tracer::row_at(std::uint32_t slot) const {
  if (slot == TW_ROW_NONE || slot >= impl_->rows.size()) return nullptr;
  const tw_row& row = impl_->rows.at(slot);
  return is_published(row) ? &row : nullptr;
}

std::optional<std::uint32_t> Tracer::ports_of(const tw_row& row) const {
  if (row.many == 0) return std::nullopt;
  const auto& seen = impl_->many_ports.values()[row.many].seen;
  return static_cast<std::uint32_t>(std::count(std::begin(seen), std::end(seen), 1));
}

bool Tracer::unlink_row(std::uint32_t id) {
  const tw_row& row = impl_->rows.at(id);
  // EBUSY: a program that was interrupted on this CPU holds the bucket of the key.
  if (bpf_map_delete_elem(bpf_map__fd(impl_->skeleton->maps.row_ids), &row.key) != 0 && errno != ENOENT) return false;
  if (row.owner != 0) __atomic_fetch_sub(&impl_->owner_rows.values()[row.owner].count, 1, __ATOMIC_SEQ_CST);
  return true;
}

void Tracer::free_row(std::uint32_t id) {
  tw_row& row = impl_->rows.at(id);
  if (const std::uint32_t place = row.many; place != 0) {
    std::memset(&impl_->many_ports.values()[place], 0, sizeof(tw_ports));
    static_cast<void>(
        bpf_map_update_elem(bpf_map__fd(impl_->skeleton->maps.free_many_ports), nullptr, &place, BPF_ANY));
  }
  row = tw_row{};
  // Cannot fail: the stack has room for every slot.
  static_cast<void>(bpf_map_update_elem(bpf_map__fd(impl_->skeleton->maps.free_rows), nullptr, &id, BPF_ANY));
}

std::uint64_t Tracer::process_exits() const {
  return __atomic_load_n(&impl_->skeleton->bss->tw_process_exits, __ATOMIC_SEQ_CST);
}

bool Tracer::is_alive(const tw_row_key& key) const {
  const tw_process process{key.start_ns, key.tgid, 0};
  std::uint32_t ignored = 0;
  return bpf_map_lookup_elem(bpf_map__fd(impl_->skeleton->maps.processes), &process, &ignored) == 0 || errno != ENOENT;
}

bool Tracer::unlink_netns(std::uint32_t slot) {
  const tw_netns& netns = impl_->namespaces.at(slot);
  return bpf_map_delete_elem(bpf_map__fd(impl_->skeleton->maps.netns_ids), &netns.id) == 0 || errno == ENOENT;
}

void Tracer::release_netns(std::uint32_t slot) {
  const auto& maps = impl_->skeleton->maps;
  impl_->namespaces.at(slot) = tw_netns{};
  // Neither can fail: the array has every slot, and the stack has room for each.
  static_cast<void>(
      bpf_map_update_elem(bpf_map__fd(maps.overflow_counters), &slot, impl_->no_overflow.data(), BPF_ANY));
  static_cast<void>(bpf_map_update_elem(bpf_map__fd(maps.free_netns), nullptr, &slot, BPF_ANY));
}

ListenerRows* Tracer::listener_rows() { return impl_->listener_rows ? &*impl_->listener_rows : nullptr; }

FeltResets& Tracer::felt_resets() { return *impl_->felt_resets; }

/// Nobody else counts these.
bool Tracer::count_queue_drops(std::uint32_t row, std::uint64_t netns_id, std::uint64_t drops) {
  tw_counts* part = nullptr;
  tw_netns* netns = nullptr;
  if (row_at(row) != nullptr) {
    tw_row& counted = impl_->rows.at(row);
    part = &counted.counts;
    netns = &impl_->namespaces.at(counted.key.netns);
  } else {
    const auto slots = impl_->namespaces.first(namespaces().size());
    const auto found = std::find_if(slots.begin(), slots.end(), [netns_id](const tw_netns& slot) {
      return is_published(slot) && slot.id == netns_id;
    });
    if (found == slots.end()) return false;
    netns = &*found;
    part = &netns->unattributed;
  }
  netns->total.queue_drops += drops;
  part->queue_drops += drops;
  return true;
}

std::optional<CgroupPath> Tracer::cgroup_path(std::uint64_t id) const {
  tw_cgroup entry{};
  if (bpf_map_lookup_elem(bpf_map__fd(impl_->skeleton->maps.cgroups), &id, &entry) != 0 || entry.length == 0) {
    return std::nullopt;
  }
  CgroupPath result;
  result.truncated = entry.truncated != 0;
  const std::string_view text(entry.text, std::min<std::size_t>(entry.length, sizeof(entry.text)));
  for (std::size_t begin = 0; begin < text.size();) {  // components are leaf first
    const std::size_t end = std::min(text.find('\0', begin), text.size());
    if (end > begin) result.path = "/" + std::string(text.substr(begin, end - begin)) + result.path;
    begin = end + 1;
  }
  if (result.path.empty()) result.path = "/";
  return result;
}

bool Tracer::forget_cgroup(std::uint64_t id) {
  return bpf_map_delete_elem(bpf_map__fd(impl_->skeleton->maps.cgroups), &id) == 0 || errno == ENOENT;
}

TracerState Tracer::state() const {
  const auto& maps = impl_->skeleton->maps;
  return {bpf_map__fd(maps.rows),
          bpf_map__fd(maps.slots),
          bpf_map__fd(maps.sockets),
          bpf_map__fd(maps.buckets),
          impl_->skeleton->rodata->tw_slot_mask,
          &impl_->skeleton->bss->tw_scan};
}

void Tracer::begin_scan() {
  impl_->sweep->restart();
  for (tw_row& row : impl_->rows.first(rows().size())) row.scanned = 0;
  ++impl_->skeleton->bss->tw_scan;
}

base::Result<bool> Tracer::sweep(std::vector<SweptBucket>& gone, Pace pace) {
  return impl_->sweep->advance(gone, pace);
}

int Tracer::ring_fd() const { return ring_buffer__epoll_fd(impl_->ring.get()); }

base::Result<std::size_t> Tracer::drain(const std::function<void(const tw_event&)>& handler, std::size_t limit) {
  impl_->handler = &handler;
  impl_->remaining = limit;
  const int result = ring_buffer__consume(impl_->ring.get());
  impl_->handler = nullptr;
  if (result < 0 && result != -ECANCELED) return base::fail_errno(-result, "cannot read the ring buffer");
  return limit - impl_->remaining;
}

tw_stats Tracer::stats() const { return impl_->skeleton->bss->tw_health; }

RunStats Tracer::run_stats() const {
  RunStats sum;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, impl_->skeleton->obj) {
    if (!bpf_program__autoload(program) || !std::string_view(bpf_program__name(program)).starts_with("on_")) continue;
    add_program(sum, bpf_program__name(program), bpf_program__fd(program));
  }
  for (const LinkPtr& link : impl_->links) add_link(sum, bpf_link__fd(link.get()));
  return sum;
}

}  // namespace twtrace::loader
