// SPDX-License-Identifier: Apache-2.0
#include "capture/writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "capture/fitting.hpp"
#include "capture/growing_file.hpp"
#include "capture/increments.hpp"
#include "capture/sqlite.hpp"
#include "model/find_netns.hpp"

namespace twtrace::capture {
namespace {

constexpr std::size_t kMaxPendingEvents = 50'000;
/// Of the last samples, among which a line of a log that came late looks for its own.
constexpr std::size_t kKnownEnds = 16;

/// "INSERT INTO table VALUES(NULL,?,...)"; without NULL if the first column is given.
std::string insert(const char* table, int columns, bool with_id = false) {
  std::string sql = std::string("INSERT INTO ") + table + " VALUES(" + (with_id ? "?" : "NULL");
  for (int i = 1; i < columns; ++i) sql += ",?";
  return sql + ")";
}

/// Columns of a Delta.
constexpr int kCounts = static_cast<int>(model::kCounterFields.size());

struct Inserts {
  Statement mark, setting, netns, service, owner, peer, sample, netns_sample, owner_sample, peer_sample, loss, port_use,
      event, suspension, process, log_line, listen_queue;
  Statement command, ended;  ///< updates of the one row of capture
  Statement log_gaps;        ///< update of a row of log
};

base::Result<Inserts> prepare_inserts(const Database& database) {
  Inserts inserts;
  const std::array<std::tuple<Statement*, const char*, int, bool>, 17> all = {{
      {&inserts.mark, "mark", 3, false},
      {&inserts.setting, "setting", 13, false},
      {&inserts.netns, "netns", 3, true},
      {&inserts.service, "service", 6, true},
      {&inserts.owner, "owner", 14, true},
      {&inserts.peer, "peer", 16, true},
      {&inserts.sample, "sample", 9, true},
      {&inserts.netns_sample, "netns_sample", 18 + 2 * kCounts, false},
      {&inserts.owner_sample, "owner_sample", 7 + kCounts, false},
      {&inserts.peer_sample, "peer_sample", 7 + kCounts, false},
      {&inserts.loss, "loss", 14, false},
      {&inserts.port_use, "port_use", 13, false},
      {&inserts.event, "event", 21, false},
      {&inserts.suspension, "suspension", 3, false},
      {&inserts.process, "process", 3, false},
      {&inserts.log_line, "log_line", 6, false},
      {&inserts.listen_queue, "listen_queue", 12, false},
  }};
  for (const auto& [statement, table, columns, with_id] : all) {
    auto prepared = database.prepare(insert(table, columns, with_id));
    if (!prepared) return tl::unexpected(prepared.error());
    *statement = std::move(*prepared);
  }
  auto command = database.prepare(
      "UPDATE capture SET command_started_unix_ms=?, command_ended_unix_ms=?, command_exit_code=?, command_signal=?");
  auto ended = database.prepare("UPDATE capture SET ended_unix_ms=?");
  auto log_gaps = database.prepare("UPDATE log SET long_lines=?, skipped_bytes=?, problem=? WHERE id=?");
  if (!command || !ended || !log_gaps) return tl::unexpected(database.error("cannot be used"));
  inserts.command = std::move(*command);
  inserts.ended = std::move(*ended);
  inserts.log_gaps = std::move(*log_gaps);
  return inserts;
}

/// The parts of a Losses that a file keeps, for comparisons.
auto tied(const model::Losses& lost) {
  return std::tie(lost.events, lost.counts, lost.rows_full, lost.rows_busy, lost.netns_full, lost.sockets_full,
                  lost.buckets_full, lost.cgroups_full, lost.listeners_full, lost.pairs_lost, lost.refused_full,
                  lost.recursion_misses);
}

/// What a netns_sample keeps in addition to increments.
auto tied(const model::NetnsRow& row) {
  return std::tie(row.gone, row.limit, row.in_use, row.pre_existing, row.kernel.created, row.kernel.overflow,
                  row.kernel.reused, row.kernel.listen_overflows, row.kernel.listen_drops, row.kernel.out_resets,
                  row.missed.created, row.missed.overflow, row.missed.resets_sent, row.missed.queue_drops,
                  row.reconciled);
}

auto tied(const model::PortUse& use) {
  return std::tie(use.netns, use.netns_id, use.destination.address, use.destination.port, use.ports.taken, use.bound,
                  use.bound_to, use.outside, use.ports.of, use.own);
}

std::vector<model::PortUse> fullest(std::vector<model::PortUse> all) {
  std::erase_if(all, [](const model::PortUse& use) {
    return std::max(use.ports.taken, use.outside.value_or(0)) * model::kPortUseShare < use.ports.of;
  });
  std::stable_sort(all.begin(), all.end(), [](const model::PortUse& left, const model::PortUse& right) {
    return model::is_fuller(left.ports, right.ports);
  });
  if (all.size() > model::kMostPortUse) all.resize(model::kMostPortUse);
  return all;
}

bool same(const std::vector<model::PortUse>& left, const std::vector<model::PortUse>& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const model::PortUse& a, const model::PortUse& b) { return tied(a) == tied(b); });
}

/// What a file keeps of a queue: rates follow from it.
auto tied(const model::ListenQueue& queue) {
  return std::tie(queue.netns_id, queue.port, queue.service, queue.comm, queue.queue.taken, queue.queue.of, queue.drops,
                  queue.somaxconn, queue.syn_backlog);
}

bool same(const std::vector<model::ListenQueue>& left, const std::vector<model::ListenQueue>& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const model::ListenQueue& a, const model::ListenQueue& b) { return tied(a) == tied(b); });
}

/// The row of a namespace in a snapshot, or what can be built from the tables alone.
model::NetnsRow row_of(const model::NetnsInfo& info, const model::Snapshot& head) {
  if (const model::NetnsRow* found = model::find_netns(head.namespaces, info.id, info.inum)) return *found;
  model::NetnsRow row;
  row.counts = row.unattributed = info.unattributed;
  return row;
}

/// Without what was moved to it: the file has that where it was counted.
model::NetnsRow own_of(model::NetnsRow row) {
  row.counts -= row.moved;
  row.unattributed -= row.moved_unattributed;
  return row;
}

}  // namespace

class Writer::Impl {
 public:
  Impl(TargetFile target, Durability durability) : file_(std::move(target), durability) {}

  base::Result<void> begin(const model::CaptureInfo& info, const model::CaptureWriter& process) {
    if (auto created = file_.create([&] { return write_start(info, process); }); !created) return created;
    if (auto prepared = prepare(); !prepared) return prepared;
    return file_.transaction([&] { return write_settings(info.settings_at_start, false); });
  }

  base::Result<void> append(const model::Snapshot& head, const model::Source& source) {
    auto done = file_.transaction([&] {
      ++sample_;
      return write_events() && write_sample(head) && write_log_lines(head) && write_namespaces(head, source) &&
             write_changes(source, owners_, false) && write_changes(source, peers_, true);
    });
    if (!done) return done;
    ends_.push_front({sample_, head.time_unix_ms, std::exchange(lines_, 0)});
    if (ends_.size() > kKnownEnds) ends_.pop_back();
    return place(false);
  }

  base::Result<void> add_event(const model::Event& event) {
    events_.push_back(event);
    if (events_.size() < kMaxPendingEvents) return {};
    return file_.transaction([&] { return write_events(); });
  }

  base::Result<void> add_settings(const std::vector<model::NetnsSettings>& settings) {
    return file_.transaction([&] { return write_settings(settings, false); });
  }

  base::Result<void> set_command(const model::CapturedCommand& command) {
    return file_.transaction([&] {
      return ok(insert_.command.run(command.started_unix_ms, command.ended_unix_ms, command.exit_code, command.signal));
    });
  }

  base::Result<void> add_processes(const std::vector<model::SeenProcess>& processes) {
    return file_.transaction([&] {
      return std::all_of(processes.begin(), processes.end(), [&](const model::SeenProcess& process) {
        if (processes_.size() == model::kMostSeenProcesses || !processes_.insert(process).second) return true;
        const std::int64_t service = service_id(process.service);
        return service != 0 && ok(insert_.process.run(service, fit_text(process.comm)));
      });
    });
  }

  base::Result<void> set_log_gaps(const std::vector<model::LogGaps>& gaps) {
    if (gaps == log_gaps_) return {};
    log_gaps_ = gaps;
    return file_.transaction([&] {
      std::int64_t id = 0;
      return std::all_of(gaps.begin(), gaps.end(), [&](const model::LogGaps& each) {
        return ok(insert_.log_gaps.run(each.long_lines, each.skipped_bytes, fit_text(each.problem), ++id));
      });
    });
  }

  base::Result<void> add_mark(const model::Mark& mark) {
    return file_.transaction(
        [&] { return ok(insert_.mark.run(fit_time(mark.time_unix_ms), fit_text(mark.name, kLongestPath))); });
  }

  base::Result<Left> finish(std::int64_t ended_unix_ms, const std::vector<model::NetnsSettings>& settings) {
    if (sample_ == 0) return base::fail(base::ErrorCode::kFailure, "the capture has no sample", "let it run longer");
    auto done = file_.transaction(
        [&] { return write_events() && write_settings(settings, true) && ok(insert_.ended.run(ended_unix_ms)); });
    if (done) done = place(true);
    if (!done) return tl::unexpected(done.error());
    insert_ = Inserts();
    return file_.close();
  }

  bool placed() const { return file_.placed(); }
  bool in_place() const { return file_.in_place(); }
  std::optional<std::string> kept_as() const { return file_.kept_as(); }

 private:
  static bool ok(int code) { return code == SQLITE_OK; }

  base::Result<void> prepare() {
    auto inserts = prepare_inserts(file_.database());
    if (!inserts) return tl::unexpected(inserts.error());
    insert_ = std::move(*inserts);
    return {};
  }

  base::Result<void> place(bool end) {
    if (!file_.wants_name(end)) return {};
    insert_ = Inserts();
    auto done = file_.place();
    return done ? prepare() : done;
  }

  base::Result<void> write_start(const model::CaptureInfo& info, const model::CaptureWriter& process) {
    auto capture = file_.database().prepare(insert("capture", 21));
    auto fallback = file_.database().prepare(insert("fallback", 2));
    auto argument = file_.database().prepare(insert("argument", 2, true));
    auto budget = file_.database().prepare(insert("budget", 2));
    auto log = file_.database().prepare(insert("log", 7));
    if (!capture || !fallback || !argument || !budget || !log)
      return tl::unexpected(file_.database().error("cannot be written"));
    const std::optional<std::int64_t> unknown;
    bool done =
        ok(capture->run(fit_text(info.twtrace_version), fit_text(info.host.name), fit_text(info.host.kernel),
                        fit_text(info.probe.backend), info.probe.sees.removal, info.probe.sees.no_port,
                        info.probe.sees.resets_received, info.probe.sees.resets_sent, info.probe.sees.queue_drops,
                        info.probe.sees.no_port_bind, fit_real(info.interval_s), fit_time(info.started_unix_ms),
                        unknown, info.bucket_bytes, unknown, unknown, unknown, unknown, process.pid, process.start_ns));
    const auto fallbacks = std::min(info.probe.fallbacks.size(), kMostFallbacks);
    for (std::size_t i = 0; i < fallbacks; ++i) {
      done = done && ok(fallback->run(fit_text(info.probe.fallbacks[i], kLongestPath)));
    }
    for (const std::string& text : info.budgets) done = done && ok(budget->run(text));
    for (const model::Log& each : info.logs) {
      done = done && ok(log->run(std::string_view(model::to_string(each.kind)), fit_text(each.name, kLongestPath),
                                 fit_text(each.pattern, kLongestPattern), each.gaps.long_lines, each.gaps.skipped_bytes,
                                 fit_text(each.gaps.problem)));
    }
    std::size_t position = 0;
    std::size_t bytes = 0;
    for (const std::string& value : info.command ? info.command->argv : std::vector<std::string>()) {
      const std::string_view kept = fit_text(value, kLongestArgument);  // a kernel with larger pages runs longer ones
      bytes += argument_bytes(kept);
      if (bytes > kLongestCommand) break;
      done = done && ok(argument->run(position++, kept));
    }
    if (!done) return tl::unexpected(file_.database().error("cannot be written"));
    ends_.push_front({0, info.started_unix_ms, 0});
    return {};
  }

  bool write_settings(const std::vector<model::NetnsSettings>& settings, bool at_end) {
    if (!at_end) settings_ += settings.size();
    return (settings_ <= kMostSettings || too_many("network namespaces, one after the other", kMostSettings)) &&
           std::all_of(settings.begin(), settings.end(), [&](const model::NetnsSettings& netns) {
             return ok(insert_.setting.run(at_end, netns.netns, netns.netns_id, fit_text(netns.name, kLongestPath),
                                           netns.limit, netns.default_limit, netns.fin_timeout_s, netns.tw_reuse,
                                           netns.timestamps, netns.syn_backlog, netns.somaxconn,
                                           netns.ephemeral_ports));
           });
  }

  /// False, and says why.
  bool too_many(const char* what, std::size_t most) {
    file_.refuse(fmt::format("a capture has room for {} {}", most, what), "begin another capture");
    return false;
  }

  /// The id of a service; 0 if it cannot be written.
  std::int64_t service_id(const base::Service& service) {
    const auto [found, is_new] = services_.try_emplace(service, static_cast<std::int64_t>(services_.size()) + 1);
    const auto fit = [](const std::string& text) { return fit_text(text, kLongestPath); };
    if (is_new && !ok(insert_.service.run(found->second, fit(service.kind), fit(service.name), fit(service.cgroup),
                                          fit(service.pod.uid), fit(service.container)))) {
      return 0;
    }
    return found->second;
  }

  /// All of them, when one has changed.
  bool write_queues(const model::Snapshot& head) {
    if (!head.queues || same(*head.queues, queues_)) return true;
    queues_ = *head.queues;
    if (queues_.size() > model::kMostQueues) queues_.resize(model::kMostQueues);
    return std::all_of(queues_.begin(), queues_.end(), [&](const model::ListenQueue& queue) {
      const std::int64_t service = service_id(*queue.service);
      return service != 0 && ok(insert_.listen_queue.run(sample_, queue.netns, queue.netns_id, queue.port, service,
                                                         fit_text(queue.comm), queue.queue.taken, queue.queue.of,
                                                         queue.drops, queue.somaxconn, queue.syn_backlog));
    });
  }

  bool write_sample(const model::Snapshot& head) {
    const bool ports = head.port_use != nullptr && !(ports_counted_ && same(port_use_, fullest(*head.port_use)));
    if (!ok(insert_.sample.run(sample_, fit_time(head.time_unix_ms), fit_real(head.interval_s), fit_real(head.uptime_s),
                               fit_real(head.live_age_s), fit_real(head.cost.cpu_percent), head.cost.rss_bytes,
                               fit_real(head.cost.bpf_run_ns_per_event), ports))) {
      return false;
    }
    if (head.suspended_s > 0 && !ok(insert_.suspension.run(sample_, fit_real(head.suspended_s)))) return false;
    if (tied(head.lost) != tied(lost_)) {
      lost_ = head.lost;
      if (!ok(insert_.loss.run(sample_, lost_.events, lost_.counts, lost_.rows_full, lost_.rows_busy, lost_.netns_full,
                               lost_.sockets_full, lost_.buckets_full, lost_.cgroups_full, lost_.listeners_full,
                               lost_.pairs_lost, lost_.refused_full, lost_.recursion_misses))) {
        return false;
      }
    }
    if (!write_queues(head)) return false;
    if (!ports) return true;
    ports_counted_ = true;
    port_use_ = fullest(*head.port_use);
    return std::all_of(port_use_.begin(), port_use_.end(), [&](const model::PortUse& use) {
      const auto own = [&use](std::uint16_t model::PortRange::*end) {
        return use.own ? std::optional(*use.own.*end) : std::nullopt;
      };
      // A recording may be of an old capture.
      return ok(insert_.port_use.run(sample_, use.netns, use.netns_id, fit_text(use.destination.address),
                                     use.destination.port, use.ports.taken, use.bound.value_or(0),
                                     use.bound_to.value_or(0), use.outside.value_or(0), own(&model::PortRange::first),
                                     own(&model::PortRange::last), use.ports.of));
    });
  }

  /// The sample in whose interval that was: a journal tells of a line late, when the next sample is due. Of a moment
  /// that is none of the last intervals' (the clock was set), the sample that is being written. If a sample has as many
  /// lines as a reader takes, the next one that has room. The one that is being written always has: it gets nothing but
  /// what one look at the logs has found.
  std::uint64_t sample_at(std::int64_t time_unix_ms) {
    End* with_room = nullptr;
    for (End& end : ends_) {
      if (time_unix_ms > end.time_unix_ms) {
        std::size_t& lines = with_room == nullptr ? lines_ : with_room->lines;
        ++lines;
        return with_room == nullptr ? sample_ : with_room->sample;
      }
      if (end.lines < kMostLogLines) with_room = &end;
    }
    ++lines_;
    return sample_;
  }

  bool write_log_lines(const model::Snapshot& head) {
    return head.log_lines == nullptr ||
           std::all_of(head.log_lines->begin(), head.log_lines->end(), [&](const model::LogLine& line) {
             const auto text = line.text ? std::optional(fit_text(*line.text, kLongestLogText)) : std::nullopt;
             return ok(insert_.log_line.run(sample_at(line.time_unix_ms), line.log + 1, fit_time(line.time_unix_ms),
                                            line.lines, text));
           });
  }

  bool write_namespaces(const model::Snapshot& head, const model::Source& source) {
    const bool written = std::all_of(source.namespaces().begin(), source.namespaces().end(), [&](const auto& info) {
      const auto [known, is_new] = namespaces_.try_emplace(info.id);
      known->second.sample = sample_;
      model::NetnsRow& said = known->second.row;
      if (is_new && ++netns_ > kMostNamespaces) {
        return too_many("network namespaces, one after the other", kMostNamespaces);
      }
      if (is_new && !ok(insert_.netns.run(info.id, info.inum, fit_text(info.name, kLongestPath)))) return false;
      if (!is_new && said.name != info.name && !rename(info)) return false;
      const model::NetnsRow row = own_of(row_of(info, head));
      const Delta counts = difference(row.counts, said.counts);
      const Delta unattributed = difference(row.unattributed, said.unattributed);
      const bool as_before = is_zero(counts) && is_zero(unattributed) && tied(row) == tied(said);
      said = row;
      said.name = info.name;
      return (as_before && !is_new) || write_namespace(info.id, row, counts, unattributed);
    });
    return written && write_forgotten();
  }

  /// A namespace that the trace has forgotten is gone and does not come back. Its counts stay where they were.
  bool write_forgotten() {
    for (auto known = namespaces_.begin(); known != namespaces_.end();) {
      if (known->second.sample == sample_) {
        ++known;
        continue;
      }
      model::NetnsRow& said = known->second.row;
      const bool was_gone = std::exchange(said.gone, true);
      said.in_use.reset();
      if (!was_gone && !write_namespace(known->first, said, {}, {})) return false;
      known = namespaces_.erase(known);
    }
    return true;
  }

  bool rename(const model::NetnsInfo& info) {
    auto update = file_.database().prepare("UPDATE netns SET name=? WHERE id=?");
    return update && ok(update->run(fit_text(info.name, kLongestPath), info.id));
  }

  bool write_namespace(std::uint32_t id, const model::NetnsRow& row, const Delta& c, const Delta& u) {
    return ok(insert_.netns_sample.run(
        sample_, id, row.gone, row.limit, row.in_use, row.pre_existing, c, u, row.kernel.created, row.kernel.overflow,
        row.kernel.reused, row.kernel.listen_overflows, row.kernel.listen_drops, row.kernel.out_resets,
        row.missed.created, row.missed.overflow, row.missed.resets_sent, row.missed.queue_drops, row.reconciled));
  }

  bool write_changes(const model::Source& source, Increments& increments, bool peers) {
    increments.begin();
    if (peers) {
      source.visit_peers([&](const model::Fact& fact) {
        // One that has no room is like one that was not seen: it counts in the remainder.
        if (sample_ == 1 || model::may_have_changed(fact)) increments.add(fact);
      });
    } else {
      bool room = true;
      source.visit([&](const model::Fact& fact) { room = increments.add(fact) && room; });
      if (!room) return too_many("owners at one time, or for 256 MiB of their names", kMostKeys);
    }
    for (const Change& change : increments.end(!peers)) {
      if (change.new_key && !(peers ? write_peer(change) : write_owner(change))) return false;
      Statement& statement = peers ? insert_.peer_sample : insert_.owner_sample;
      if (!ok(statement.run(sample_, change.id, change.moved, change.delta, change.live, change.pids, change.exited))) {
        return false;
      }
    }
    return true;
  }

  /// Of a peer, `more` is its other end.
  template <class... More>
  bool write_key(Statement& statement, const Change& change, const More&... more) {
    const model::TrackKey& key = *change.new_key;
    const model::Identity& who = key.identity;
    const std::int64_t service = service_id(who.service);
    return service != 0 &&
           ok(statement.run(change.id, who.netns, service, key.kind == model::RowKind::kOther,
                            key.kind == model::RowKind::kBeforeStart, who.pid, who.start_ns, fit_text(who.comm),
                            who.uid, std::string_view(model::to_string(who.role)), who.port,
                            std::string_view(model::to_string(who.attribution)), who.ipv6, who.matched, more...));
  }

  bool write_owner(const Change& change) { return write_key(insert_.owner, change); }
  bool write_peer(const Change& change) {
    const model::Peer& peer = *change.new_key->peer;
    return write_key(insert_.peer, change, fit_text(peer.address), peer.port);
  }

  bool write_events() {
    const bool done =
        std::all_of(events_.begin(), events_.end(), [&](const model::Event& e) { return write_event(e); });
    events_.clear();
    return done;
  }

  bool write_event(const model::Event& event) {
    const std::int64_t service = service_id(event.service);
    const auto word = [](const auto& value) { return std::string_view(model::to_string(value)); };
    const std::string_view substate = event.has_substate() ? word(event.substate) : std::string_view();
    std::optional<std::string_view> reason;
    std::optional<std::string_view> role;
    std::optional<std::string_view> comm;
    std::optional<std::uint64_t> cookie;
    if (event.kind == model::Event::Kind::kRemoved || event.has_reason()) reason = word(event.reason);
    if (event.role) role = word(*event.role);
    if (event.process) comm = fit_text(event.process->comm);
    if (event.cookie != 0) cookie = event.cookie;
    return service != 0 &&
           ok(insert_.event.run(fit_time(event.time_unix_ms), word(event.kind), substate, reason, fit_real(event.age_s),
                                event.count, cookie, event.netns, event.netns_id,
                                event.process ? event.process->pid : std::nullopt, comm, event.uid, service, role,
                                event.port, word(event.attribution), fit_text(event.local_address), event.local_port,
                                fit_text(event.remote_address), event.remote_port));
  }

  GrowingFile file_;
  Inserts insert_;  ///< declared after the file, so it ends before it
  std::uint64_t sample_ = 0;
  std::vector<model::Event> events_;
  std::map<base::Service, std::int64_t> services_;
  std::set<model::SeenProcess> processes_;
  std::vector<model::LogGaps> log_gaps_;  ///< last written
  struct End {
    std::uint64_t sample = 0;
    std::int64_t time_unix_ms = 0;
    std::size_t lines = 0;  ///< rows of log_line
  };
  std::deque<End> ends_;      ///< of the last samples, the latest first
  std::size_t lines_ = 0;     ///< rows of log_line of the sample that is being written
  std::size_t settings_ = 0;  ///< rows of setting from the start
  std::size_t netns_ = 0;     ///< rows of netns
  struct Said {
    model::NetnsRow row;
    std::uint64_t sample = 0;  ///< in which the trace last had it
  };
  std::map<std::uint32_t, Said> namespaces_;  ///< last written, by NetnsInfo::id
  model::Losses lost_;
  bool ports_counted_ = false;
  std::vector<model::PortUse> port_use_;
  std::vector<model::ListenQueue> queues_;
  Increments owners_;
  Increments peers_;
};

Writer::Writer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Writer::Writer(Writer&& other) noexcept = default;
Writer& Writer::operator=(Writer&& other) noexcept = default;
Writer::~Writer() = default;

base::Result<Writer> Writer::create(TargetFile target, const model::CaptureInfo& info,
                                    const model::CaptureWriter& process, Durability durability) {
  auto impl = std::make_unique<Impl>(std::move(target), durability);
  if (auto begun = impl->begin(info, process); !begun) return tl::unexpected(begun.error());
  return Writer(std::move(impl));
}

base::Result<void> Writer::append(const model::Snapshot& head, const model::Source& source) {
  return impl_->append(head, source);
}
base::Result<void> Writer::add_event(const model::Event& event) { return impl_->add_event(event); }
base::Result<void> Writer::add_settings(const std::vector<model::NetnsSettings>& settings) {
  return impl_->add_settings(settings);
}
base::Result<void> Writer::set_command(const model::CapturedCommand& command) { return impl_->set_command(command); }
base::Result<void> Writer::add_processes(const std::vector<model::SeenProcess>& processes) {
  return impl_->add_processes(processes);
}
base::Result<void> Writer::set_log_gaps(const std::vector<model::LogGaps>& gaps) { return impl_->set_log_gaps(gaps); }
base::Result<void> Writer::add_mark(const model::Mark& mark) { return impl_->add_mark(mark); }
bool Writer::placed() const { return impl_->placed(); }
bool Writer::in_place() const { return impl_->in_place(); }
std::optional<std::string> Writer::kept_as() const { return impl_->kept_as(); }
base::Result<Left> Writer::finish(std::int64_t ended_unix_ms, const std::vector<model::NetnsSettings>& settings) {
  return impl_->finish(ended_unix_ms, settings);
}

}  // namespace twtrace::capture
