// SPDX-License-Identifier: Apache-2.0
// A random host to capture: its tables change from sample to sample.
#pragma once

#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "../kernel/temp_tree.hpp"
#include "capture/reader.hpp"
#include "capture/writer.hpp"
#include "model/netns_order.hpp"
#include "model/rate.hpp"
#include "model/track_key.hpp"
#include "support/entries.hpp"
#include "twtrace/capture_schema.hpp"

namespace twtrace::test {

inline std::string words(const model::Counters& c) {
  std::ostringstream out;
  out << c.time_wait << ' ' << c.fin_wait2 << ' ' << c.overflow_time_wait << ' ' << c.overflow_fin_wait2 << ' '
      << c.no_memory << ' ' << c.expired << ' ' << c.reused << ' ' << c.recycled << ' ' << c.purged << ' ' << c.no_port
      << ' ' << c.resets_received << ' ' << c.resets_felt << ' ' << c.peer_resets << ' ' << c.peer_resets_avoidable
      << ' ' << c.resets_late << ' ' << c.resets_aborted << ' ' << c.resets_closed_port << ' ' << c.resets_other << ' '
      << c.queue_drops << ' ' << c.no_port_bind;
  return out.str();
}

template <class Value>
std::string words(const std::optional<Value>& value) {
  std::ostringstream out;
  out.precision(17);
  if (value) {
    out << +*value;
  } else {
    out << "null";
  }
  return out.str();
}

/// Everything in a sample, as text. Equal samples have equal texts.
inline std::string describe(const model::Snapshot& head) {
  std::ostringstream out;
  out.precision(17);
  out << head.time_unix_ms << ' ' << head.interval_s << ' ' << head.suspended_s << ' ' << head.uptime_s << ' '
      << words(head.live_age_s) << ' ' << head.host.name << ' ' << head.host.kernel << ' ' << head.probe.backend
      << head.probe.sees.removal << head.probe.sees.no_port << head.probe.sees.resets_received
      << head.probe.sees.resets_sent << head.probe.sees.queue_drops << head.probe.sees.no_port_bind << '\n'
      << "totals " << words(head.totals) << " / " << words(head.unattributed) << '\n';
  for (const model::NetnsRow& row : head.namespaces) {
    out << "netns " << row.id << ' ' << row.netns << ' ' << row.name << ' ' << row.gone << ' ' << words(row.limit)
        << ' ' << words(row.in_use) << ' ' << words(row.pre_existing) << ' ' << words(row.counts) << " / "
        << words(row.unattributed) << ' ' << row.created_per_s << ' ' << row.overflow_per_s << ' '
        << words(row.kernel.created) << ' ' << words(row.kernel.overflow) << ' ' << words(row.kernel.reused) << ' '
        << words(row.kernel.listen_overflows) << ' ' << words(row.kernel.listen_drops) << ' '
        << words(row.kernel.out_resets) << ' ' << words(row.missed.resets_sent) << ' ' << words(row.missed.queue_drops)
        << ' ' << words(row.missed.created) << ' ' << words(row.missed.overflow) << ' ' << words(row.reconciled)
        << '\n';
  }
  const model::Losses& lost = head.lost;
  out << "lost " << lost.events << ' ' << lost.counts << ' ' << lost.rows_full << ' ' << lost.rows_busy << ' '
      << lost.netns_full << ' ' << lost.sockets_full << ' ' << lost.buckets_full << ' ' << lost.cgroups_full << ' '
      << lost.listeners_full << ' ' << lost.pairs_lost << ' ' << lost.refused_full << ' '
      << words(lost.recursion_misses) << '\n'
      << "cost " << head.cost.cpu_percent << ' ' << head.cost.rss_bytes << ' ' << words(head.cost.bpf_run_ns_per_event)
      << '\n';
  if (head.queues == nullptr) out << "queues not known\n";
  for (const model::ListenQueue& queue : head.queues ? *head.queues : std::vector<model::ListenQueue>()) {
    out << "queue " << queue.netns << ' ' << queue.netns_id << ' ' << queue.port << ' ' << queue.service->name << ' '
        << queue.service->cgroup << ' ' << queue.comm << ' ' << queue.queue.taken << ' ' << queue.queue.of << ' '
        << queue.drops << ' ' << queue.drops_per_s << ' ' << words(queue.somaxconn) << ' ' << words(queue.syn_backlog)
        << '\n';
  }
  if (head.port_use == nullptr) return out.str() + "ports not counted\n";
  for (const model::PortUse& use : *head.port_use) {
    out << "ports " << use.netns << ' ' << words(use.netns_id) << ' ' << use.destination.address << ' '
        << words(use.destination.port) << ' ' << use.ports.taken << ' ' << use.ports.of << ' ' << words(use.bound)
        << ' ' << words(use.bound_to) << ' ' << words(use.outside) << ' ' << (use.own ? use.own->first : 0) << ' '
        << (use.own ? use.own->last : 0) << '\n';
  }
  return out.str();
}

inline std::string describe(const model::Identity& who) {
  std::ostringstream out;
  out << who.netns << ' ' << words(who.pid) << ' ' << who.start_ns << " [" << who.comm << "] " << who.uid << ' '
      << who.service.kind << ',' << who.service.name << ',' << who.service.cgroup << ',' << who.service.pod.uid << ','
      << who.service.container << ' ' << model::to_string(who.role) << ' ' << who.port << ' '
      << model::to_string(who.attribution) << ' ' << who.ipv6 << who.matched;
  return out.str();
}

inline std::string describe(const model::Event& event) {
  std::ostringstream out;
  out << event.time_unix_ms << ' ' << model::to_string(event.kind) << ' ' << model::to_string(event.substate) << ' '
      << model::to_string(event.reason) << ' ' << words(event.age_s) << ' ' << event.count << ' ' << event.cookie << ' '
      << words(event.netns) << ' ' << words(event.netns_id) << ' ' << event.netns_name << ' ' << event.service.kind
      << ',' << event.service.name << ',' << event.service.cgroup << ',' << event.service.pod.uid << ','
      << event.service.container << ' ' << words(event.uid) << ' ' << (event.role ? model::to_string(*event.role) : "-")
      << ' ' << words(event.port) << ' ' << model::to_string(event.attribution) << ' ' << event.local_address << ' '
      << event.local_port << ' ' << event.remote_address << ' ' << event.remote_port;
  if (event.process) out << " [" << event.process->comm << "] " << words(event.process->pid);
  return out.str();
}

/// The rows of a source, sorted. Rows with the same key are added up.
inline std::string describe(const model::Source& source) {
  struct Sum {
    model::Counters counts, previous;
    std::optional<std::uint64_t> live = 0;
    std::uint32_t pids = 0;
    bool exited = true;
  };
  std::map<std::string, Sum> rows;
  const auto add = [&](const model::Fact& fact) {
    std::string key = describe(fact.identity) + (fact.kind == model::RowKind::kOther ? " other" : "") +
                      (fact.kind == model::RowKind::kBeforeStart ? " before start" : "");
    if (fact.peer != nullptr) key += " -> " + fact.peer->address + " " + words(fact.peer->port);
    Sum& sum = rows[key];
    sum.counts += fact.counts;
    sum.previous += fact.previous;
    sum.live = sum.live && fact.live ? std::optional(*sum.live + *fact.live) : std::nullopt;
    sum.pids = std::max({sum.pids, fact.pids, 1U});
    sum.exited = sum.exited && fact.exited;
  };
  source.visit(add);
  source.visit_peers(add);
  std::string text;
  for (const auto& [key, sum] : rows) {
    text += key + ": " + words(sum.counts) + " before " + words(sum.previous) + " live " + words(sum.live) + " pids " +
            std::to_string(sum.pids) + (sum.exited ? " exited\n" : "\n");
  }
  for (const model::NetnsInfo& info : source.namespaces()) {
    text += "info " + std::to_string(info.id) + " " + std::to_string(info.inum) + " " + info.name + " " +
            words(info.unattributed) + " before " + words(info.unattributed_previous) + "\n";
  }
  return text;
}

/// Keeps few rows of ended processes, so that rows are folded all the time.
class World {
 public:
  explicit World(std::uint64_t seed, std::size_t max_rows = 5) : random_(seed), table_(max_rows) {}

  /// Makes the next sample and calls `use` with it.
  template <class Use>
  void sample(const Use& use) {
    table_.begin_interval();
    for (model::NetnsInfo& info : infos_) info.unattributed_previous = info.unattributed;
    if (samples_ == 7) infos_.push_back({2, 4026532281U, "blue\x01", {}, {}});
    for (int i = 0; i < 9; ++i) act();
    peers_.begin_interval();
    table_.set_before_start(before_start());
    peers_.set_before_start(peers_before_start());
    while (table_.size() > 20) retire_one();
    ++samples_;
    head_ = std::make_shared<model::Snapshot>(head());
    use(*head_, model::CurrentSource(table_, peers_, infos_));
  }

  static model::CaptureInfo info() {
    model::CaptureInfo info;
    info.twtrace_version = "1.2.3";
    info.host = {"web1", "6.12.0"};
    info.probe = {"fentry", {"kprobe: refused", ""}, {true, true, true, true, true, true}};
    info.interval_s = 0.5;
    info.started_unix_ms = kStart;
    info.bucket_bytes = 248;
    info.command = model::CapturedCommand{{"./deploy.sh", "", "\xff a'b\n"}, {}, {}, {}, {}};
    info.settings_at_start = {settings(5000)};
    return info;
  }
  static model::NetnsSettings settings(std::uint64_t limit) {
    model::NetnsSettings host;
    host.netns = 4026531840U;
    host.netns_id = 1;
    host.name = "host";
    host.limit = limit;
    host.default_limit = 131072;
    host.fin_timeout_s = 60;
    host.tw_reuse = 2;
    host.timestamps = 1;
    host.syn_backlog = 1024;
    host.ephemeral_ports = 28232;
    return host;
  }

  static constexpr std::int64_t kStart = 1767323045678;

 private:
  /// The processes end after some samples.
  std::vector<model::Entry> before_start() const {
    if (samples_ > 8) return {};
    model::Entry entry;
    entry.identity.netns = 1;
    entry.identity.service.kind = "systemd";
    entry.identity.service.name = "old.service";
    entry.identity.role = model::Role::kServer;
    entry.identity.port = 80;
    entry.identity.attribution = model::Attribution::kNone;
    entry.live = 9 - samples_;
    return {entry};
  }

  model::PeerTable::Live peers_before_start() const {
    model::PeerTable::Live live;
    for (const model::Entry& entry : before_start()) {
      live[{entry.identity, {"10.1.0.1", std::nullopt}}] = entry.live.value() / 2;
      if (samples_ < 4) live[{entry.identity, {"10.1.0.2", std::nullopt}}] = 1;
    }
    return live;
  }

  void act() {
    const auto slot = static_cast<std::uint32_t>(1 + random_.up_to(30));
    if (random_.up_to(9) == 0 && table_.at(slot) != nullptr) return table_.retire(slot);
    if (table_.at(slot) == nullptr) {
      model::Identity identity = random_identity(random_);
      if (identity.netns == 0 || identity.netns > infos_.size()) identity.netns = 1;
      if (random_.up_to(5) == 0) identity.comm = "\x1b[31m\xff'";
      table_.add(slot, ++births_, identity);
    }
    const model::Counters counts = table_.at(slot)->counts + random_counts(random_);
    const auto live = random_.up_to(3) == 0 ? std::nullopt : std::optional(random_.up_to(99));
    table_.set(slot, counts, live, random_.up_to(3) == 0);
    model::Event event;
    const model::Identity& who = table_.at(slot)->identity;
    peers_.count({model::folded(who), {"10.0.0." + std::to_string(random_.up_to(3)), std::nullopt}}, event);
    if (random_.up_to(4) == 0) infos_[who.netns - 1].unattributed += random_counts(random_);
  }

  void retire_one() {
    std::uint32_t slot = 1;
    while (slot < 40 && table_.at(slot) == nullptr) ++slot;
    if (slot == 40) throw std::logic_error("nothing to retire");
    table_.retire(slot);
  }

  model::Snapshot head() {
    model::Snapshot head;
    head.time_unix_ms =
        kStart + static_cast<std::int64_t>(samples_) * 500 + static_cast<std::int64_t>(random_.up_to(9));
    head.interval_s = 0.5 + 0.001 * static_cast<double>(random_.up_to(9));
    if (random_.up_to(9) == 0) head.suspended_s = 0.25 * static_cast<double>(1 + random_.up_to(9));
    head.uptime_s = 0.1 + static_cast<double>(samples_);
    head.host = info().host;
    head.probe = info().probe;
    if (random_.up_to(2) != 0) head.live_age_s = 0.25;
    auto sums = twtrace::test::sums(table_);
    for (const model::NetnsInfo& info : infos_) {
      model::NetnsRow row;
      row.id = info.id;
      row.netns = info.inum;
      row.name = info.name;
      row.gone = samples_ > 40 && info.id == 2;
      row.limit = 5000;
      if (random_.up_to(3) != 0) row.in_use = random_.up_to(5000);
      row.counts = sums[info.id] + info.unattributed;
      row.unattributed = info.unattributed;
      model::NetnsRow& before = last_[info.id];
      row.created_per_s = model::rate(row.counts.created(), before.counts.created(), head.interval_s);
      row.overflow_per_s = model::rate(row.counts.overflow(), before.counts.overflow(), head.interval_s);
      if (random_.up_to(1) != 0) row.kernel = {row.counts.created(), row.counts.refused(), 0, random_.up_to(9), 5, 7};
      if (random_.up_to(1) != 0) row.missed = {0, random_.up_to(1), random_.up_to(1), random_.up_to(1)};
      if (random_.up_to(1) != 0) row.reconciled = random_.up_to(1) != 0;
      before = row;
      head.totals += row.counts;
      head.unattributed += row.unattributed;
      head.namespaces.push_back(row);
    }
    model::sort_fullest_first(head.namespaces);
    if (random_.up_to(3) == 0) lost_.events += 7;
    if (samples_ == 13) lost_.recursion_misses = 3;
    if (samples_ == 17) lost_.refused_full = 5;
    head.lost = lost_;
    head.cost = {std::nullopt, 0.5 * static_cast<double>(random_.up_to(9)), 1'000'000 + random_.up_to(9), {}};
    if (random_.up_to(5) == 0) head.cost.bpf_run_ns_per_event = 812.25;
    if (samples_ > 3 && random_.up_to(2) == 0) ports_ = count_ports();
    head.port_use = ports_;
    head.queues = look_at_queues(head.interval_s);
    return head;
  }

  /// Every third sample the first of two queues drops something.
  std::shared_ptr<const std::vector<model::ListenQueue>> look_at_queues(double interval_s) {
    base::Service service;
    service.kind = "systemd";
    service.name = "web.service";
    service.cgroup = "/system.slice/web.service";
    const base::SharedService web(std::move(service));
    auto queues = std::make_shared<std::vector<model::ListenQueue>>();
    for (std::uint16_t port = 443; port <= 444 && samples_ > 2; ++port) {
      const std::uint64_t drops = port == 443 ? samples_ / 3 * 7 : 11;
      model::ListenQueue& queue = queues->emplace_back();
      queue.netns = 4026531840U;
      queue.netns_id = 1;
      queue.port = port;
      queue.service = web;
      queue.comm = "nginx";
      queue.queue = {drops % 5, 511};
      queue.drops = drops;
      queue.drops_per_s = model::rate(drops, dropped_[port], interval_s);
      if (port == 443) queue.somaxconn = queue.syn_backlog = 4096;
      dropped_[port] = drops;
    }
    return queues;
  }

  std::shared_ptr<const std::vector<model::PortUse>> count_ports() {
    auto counted = std::make_shared<std::vector<model::PortUse>>();
    for (std::uint64_t left = random_.up_to(3); left > 0; --left) {
      const auto own = left % 2 == 0 ? std::optional(model::PortRange{40000, 41999}) : std::nullopt;
      counted->push_back({4026531840U,
                          {"10.0.0.9", std::uint16_t{6379}},
                          {1000 * left + random_.up_to(1), 28232},
                          1,
                          30 * left,
                          left,
                          random_.up_to(1),
                          own});
    }
    return counted;
  }

  Random random_;
  model::RowTable table_;
  model::PeerTable peers_{1000};
  std::vector<model::NetnsInfo> infos_ = {{1, 4026531840U, "host", {}, {}}};
  std::map<std::uint32_t, model::NetnsRow> last_;
  model::Losses lost_;
  std::shared_ptr<const std::vector<model::PortUse>> ports_;
  std::map<std::uint16_t, std::uint64_t> dropped_;
  std::shared_ptr<const model::Snapshot> head_;
  std::uint64_t samples_ = 0;
  std::uint64_t births_ = 0;
};

/// A writer in a directory of its own, and the samples that it got.
struct Captured {
  kernel::TempTree tree;
  std::string path;
  World world;
  std::vector<std::string> samples;
  std::optional<capture::Writer> writer;

  explicit Captured(std::uint64_t seed = 1, const std::string& where = {})
      : path(where.empty() ? (tree / "twtrace.db").string() : where), world(seed) {
    auto target = capture::TargetFile::check(path, capture::invoker());
    if (!target) throw std::runtime_error(target.error().what);
    auto made = capture::Writer::create(std::move(*target), World::info(), {41, 43'000'000'000});
    if (!made) throw std::runtime_error(made.error().what);
    writer = std::move(*made);
  }
  void add(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      world.sample([&](const model::Snapshot& head, const model::Source& source) {
        samples.push_back(describe(head) + describe(source));
        const auto written = writer->append(head, source);
        if (!written) throw std::runtime_error(written.error().what);
      });
    }
  }
  void finish() {
    const auto done = writer->finish(World::kStart + 77'000, {World::settings(5003)});
    if (!done) throw std::runtime_error(done.error().what);
    writer.reset();
  }
};

/// A capture of a command, finished, with a row in most tables.
inline std::string complete_capture(const std::string& path, std::size_t samples = 9) {
  Captured captured;
  captured.add(samples);
  const auto check = [](const base::Result<void>& done) {
    if (!done) throw std::runtime_error(done.error().what);
  };
  check(captured.writer->add_mark({World::kStart, "mark"}));
  check(captured.writer->add_event({}));
  check(captured.writer->add_processes({{{}, "init"}}));
  model::CapturedCommand command = World::info().command.value();
  command.started_unix_ms = World::kStart + 1000;
  command.ended_unix_ms = World::kStart + 3000;
  command.exit_code = 0;
  check(captured.writer->set_command(command));
  captured.finish();
  std::filesystem::copy_file(captured.path, path);
  return path;
}

/// Records a finished capture with this many samples.
inline void capture_into(const std::string& path, std::size_t samples,
                         const capture::Invoker& invoker = capture::invoker()) {
  auto target = capture::TargetFile::check(path, invoker);
  if (!target) throw std::runtime_error(target.error().what);
  auto writer = capture::Writer::create(std::move(*target), World::info(), {});
  if (!writer) throw std::runtime_error(writer.error().what);
  World world(5);
  for (std::size_t i = 0; i < samples; ++i) {
    world.sample([&](const model::Snapshot& head, const model::Source& source) {
      const auto written = writer->append(head, source);
      if (!written) throw std::runtime_error(written.error().what);
    });
  }
  const auto done = writer->finish(World::kStart, {});
  if (!done) throw std::runtime_error(done.error().what);
}

/// All samples of a file as texts. After an error, its message is the last text.
inline std::vector<std::string> read_samples(capture::Reader& reader) {
  std::vector<std::string> samples;
  const auto read =
      reader.for_each(model::Wanted::kAll, [&](const model::SnapshotPtr& head, const model::Source& source) {
        samples.push_back(describe(*head) + describe(source));
        return true;
      });
  if (!read) samples.push_back(read.error().what);
  return samples;
}

inline std::unique_ptr<capture::Reader> open_capture(const std::string& path) {
  auto reader = capture::Reader::open(path);
  if (!reader) throw std::runtime_error(reader.error().what);
  return std::move(*reader);
}

/// Changes a capture with SQL, as its owner can.
inline void run_sql(const std::string& path, const std::string& sql) {
  sqlite3* database = nullptr;
  char* error = nullptr;
  sqlite3_open(path.c_str(), &database);
  const int code = sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &error);
  const std::string what = error != nullptr ? error : "";
  sqlite3_free(error);
  sqlite3_close(database);
  if (code != SQLITE_OK) throw std::runtime_error(sql + ": " + what);
}

/// The statements that drop the columns declared in these lines of a table. A part that is not a whole line is a
/// comment.
inline std::string drop_columns(const std::string& table, std::string_view lines) {
  std::string script;
  while (lines.starts_with("  ")) {
    lines.remove_prefix(2);
    script += "ALTER TABLE " + table + " DROP COLUMN " + std::string(lines.substr(0, lines.find(' '))) + ";";
    lines.remove_prefix(lines.find('\n') + 1);
  }
  return script;
}

/// Turns a capture into one of an older schema version.
inline void make_version(const std::string& path, int version) {
  std::string script = "PRAGMA writable_schema=ON;";
  for (const capture::SchemaTable& table : capture::kSchema) {
    const std::string name = table.name;
    if (version < table.since) {
      script += "DROP TABLE " + name + ";";
      continue;
    }
    for (const capture::LaterPart& part : table.later) {
      if (version < part.since) script += drop_columns(name, part.text);
    }
    std::string sql = capture::schema_sql(table, version);
    for (std::size_t at = 0; (at = sql.find('\'', at)) != std::string::npos; at += 2) sql.insert(at, 1, '\'');
    script += "UPDATE sqlite_schema SET sql='" + sql + "' WHERE name='" + name + "';";
  }
  run_sql(path, script + "PRAGMA user_version=" + std::to_string(version));
}

/// The rows of a query, columns separated by '|'.
inline std::vector<std::string> query(const std::string& path, const std::string& sql) {
  std::vector<std::string> rows;
  sqlite3* database = nullptr;
  sqlite3_open(path.c_str(), &database);
  const auto take = [](void* to, int columns, char** values, char** /*names*/) {
    std::string row;
    for (int i = 0; i < columns; ++i) row += (i > 0 ? "|" : "") + std::string(values[i] != nullptr ? values[i] : "");
    static_cast<std::vector<std::string>*>(to)->push_back(row);
    return 0;
  };
  const int code = sqlite3_exec(database, sql.c_str(), take, &rows, nullptr);
  const std::string what = sqlite3_errmsg(database);
  sqlite3_close(database);
  if (code != SQLITE_OK) throw std::runtime_error(sql + ": " + what);
  return rows;
}

}  // namespace twtrace::test
