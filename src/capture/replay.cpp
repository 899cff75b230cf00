// SPDX-License-Identifier: Apache-2.0
#include "capture/replay.hpp"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "capture/columns.hpp"
#include "capture/increments.hpp"
#include "capture/names.hpp"
#include "capture/sample_rows.hpp"
#include "model/netns_order.hpp"
#include "model/rate.hpp"

namespace twtrace::capture {
namespace {

/// What a key holds at the present sample.
struct Track {
  model::TrackKey key;
  model::Counters counts;
  model::Counters previous;
  std::optional<std::uint64_t> live;
  std::uint32_t pids = 1;
  bool exited = false;
  bool touched = false;
};

using Tracks = std::unordered_map<std::int64_t, Track>;  ///< by id of owner or peer

/// The tables of a sample.
class Tables final : public model::Source {
 public:
  void visit(const model::FactVisitor& visitor) const override { visit(owners, visitor); }
  void visit_peers(const model::FactVisitor& visitor) const override { visit(peers, visitor); }
  const std::vector<model::NetnsInfo>& namespaces() const override { return infos; }

  Tracks owners;
  Tracks peers;
  std::vector<model::NetnsInfo> infos;

 private:
  static void visit(const Tracks& tracks, const model::FactVisitor& visitor) {
    const model::Counters zero;
    for (const auto& [id, track] : tracks) {
      const model::TrackKey& key = track.key;
      visitor({key.identity, key.kind, key.peer ? &*key.peer : nullptr, track.counts, track.previous, zero, track.live,
               track.pids, track.exited});
    }
  }
};

/// The columns of a Delta, in its order.
std::string delta_columns(const char* prefix) {
  std::string columns;
  for (const model::CounterField& field : model::kCounterFields) {
    (((columns += columns.empty() ? "" : ", ") += prefix) += field.name);
  }
  return columns;
}

/// One pass over the samples.
class Replay {
 public:
  Replay(const Database& database, const model::CaptureInfo& info) : database_(database), info_(info) {}

  base::Result<void> run(const model::SampleVisitor& visit) {
    if (auto ready = open(); !ready) return ready;
    for (std::int64_t sample = 1; samples_.at(sample); ++sample) {
      auto head = std::make_shared<model::Snapshot>();
      if (auto done = read(sample, *head); !done) return done;
      visit(head, tables_);
      settle();
    }
    for (const auto& [rows, table] : sources()) {
      if (rows->failed()) return tl::unexpected(database_.error("cannot be read"));
      if (!rows->done()) return tl::unexpected(malformed(database_, table));
    }
    return {};
  }

 private:
  std::vector<std::pair<SampleRows*, const char*>> sources() {
    return {{&samples_, "sample"},     {&suspensions_, "suspension"}, {&losses_, "loss"},      {&ports_, "port_use"},
            {&netns_, "netns_sample"}, {&owners_, "owner_sample"},    {&peers_, "peer_sample"}};
  }

  base::Result<void> open() {
    const std::string deltas = delta_columns("");
    const std::string key =
        " netns, service, is_other, pid, start_ns, comm, uid, role, port, attribution, ipv6, matched";
    const std::vector<std::pair<SampleRows*, std::string>> all = {
        {&samples_, "SELECT * FROM sample ORDER BY id"},
        {&losses_,
         "SELECT sample, events_total, counts_total, rows_full_total, rows_busy_total, netns_full_total, "
         "sockets_full_total, buckets_full_total, cgroups_full_total, listeners_full_total, pairs_lost_total, "
         "recursion_misses_total FROM loss ORDER BY id"},
        {&ports_, "SELECT sample, netns, address, port, taken, usable FROM port_use ORDER BY id"},
        {&netns_, "SELECT sample, netns, gone, \"limit\", in_use, pre_existing, " + deltas + ", " +
                      delta_columns("unattributed_") +
                      ", kernel_created_total, kernel_overflow_total, "
                      "kernel_reused_total, listen_overflows_total, listen_drops_total, missed_created_total, "
                      "missed_overflow_total, reconciled FROM netns_sample ORDER BY id"},
        {&owners_, "SELECT sample, owner, moved, " + deltas + ", live, pids, exited FROM owner_sample ORDER BY id"},
        {&peers_, "SELECT sample, peer, moved, " + deltas + ", live, pids, exited FROM peer_sample ORDER BY id"}};
    if (auto opened = open_suspensions(database_)) {
      suspensions_ = std::move(*opened);
    } else {
      return tl::unexpected(opened.error());
    }
    for (const auto& [rows, sql] : all) {
      auto opened = SampleRows::open(database_, sql);
      if (!opened) return tl::unexpected(opened.error());
      *rows = std::move(*opened);
    }
    const std::vector<std::pair<Statement*, std::string>> look_ups = {
        {&netns_by_id_, "SELECT inode, name FROM netns WHERE id=?"},
        {&service_by_id_, "SELECT kind, name, cgroup, pod, container FROM service WHERE id=?"},
        {&owner_by_id_, "SELECT" + key + " FROM owner WHERE id=?"},
        {&peer_by_id_, "SELECT" + key + ", address, peer_port FROM peer WHERE id=?"}};
    for (const auto& [statement, sql] : look_ups) {
      auto prepared = database_.prepare(sql);
      if (!prepared) return tl::unexpected(prepared.error());
      *statement = std::move(*prepared);
    }
    return {};
  }

  base::Result<void> read(std::int64_t sample, model::Snapshot& head) {
    head.host = info_.host;
    head.probe = info_.probe;
    const auto steps = {std::pair(&Replay::read_head, "sample"),
                        {&Replay::read_suspensions, "suspension"},
                        {&Replay::read_losses, "loss"},
                        {&Replay::read_ports, "port_use"},
                        {&Replay::read_namespaces, "netns_sample"},
                        {&Replay::read_owner_changes, "owner_sample"},
                        {&Replay::read_peer_changes, "peer_sample"}};
    for (const auto& [step, table] : steps) {
      if (!(this->*step)(sample, head)) return tl::unexpected(malformed(database_, table));
    }
    for (const auto& [rows, table] : sources()) {
      if (rows->failed()) return tl::unexpected(database_.error("cannot be read"));
    }
    return {};
  }

  bool read_head(std::int64_t sample, model::Snapshot& head) {
    Columns row = samples_.row(sample);
    head.time_unix_ms = row.unix_ms();
    head.interval_s = row.length();
    head.uptime_s = row.length();
    const auto length = [](Columns& columns) { return columns.length(); };
    head.live_age_s = row.optional(length);
    head.cost.cpu_percent = row.length();
    head.cost.rss_bytes = row.number<std::uint64_t>();
    head.cost.bpf_run_ns_per_event = row.optional(length);
    ports_counted_ = row.flag();
    samples_.next();
    return row.ok();
  }

  bool read_suspensions(std::int64_t sample, model::Snapshot& head) {
    for (; suspensions_.at(sample); suspensions_.next()) {
      Columns row = suspensions_.row(sample);
      head.suspended_s += row.length();
      if (!row.ok()) return false;
    }
    return true;
  }

  bool read_losses(std::int64_t sample, model::Snapshot& head) {
    for (; losses_.at(sample); losses_.next()) {
      Columns row = losses_.row(sample);
      for (auto* total :
           {&lost_.events, &lost_.counts, &lost_.rows_full, &lost_.rows_busy, &lost_.netns_full, &lost_.sockets_full,
            &lost_.buckets_full, &lost_.cgroups_full, &lost_.listeners_full, &lost_.pairs_lost}) {
        *total = row.number<std::uint64_t>();
      }
      lost_.recursion_misses = row.optional_number();
      if (!row.ok()) return false;
    }
    head.lost = lost_;
    return true;
  }

  bool read_ports(std::int64_t sample, model::Snapshot& head) {
    auto counted = std::make_shared<std::vector<model::PortUse>>();
    for (; ports_.at(sample); ports_.next()) {
      Columns row = ports_.row(sample);
      model::PortUse use;
      use.netns = row.number<std::uint32_t>();
      use.destination.address = row.text();
      use.destination.port = row.optional([](Columns& columns) { return columns.number<std::uint16_t>(); });
      use.ports.taken = row.number<std::uint64_t>();
      use.ports.of = row.number<std::uint64_t>();
      if (!row.ok() || !ports_counted_) return false;
      counted->push_back(std::move(use));
    }
    if (ports_counted_) port_use_ = std::move(counted);
    head.port_use = port_use_;
    return true;
  }

  bool read_namespaces(std::int64_t sample, model::Snapshot& head) {
    for (auto& [id, row] : rows_) row.created_per_s = row.overflow_per_s = 0;
    for (model::NetnsInfo& info : tables_.infos) info.unattributed_previous = info.unattributed;
    for (; netns_.at(sample); netns_.next()) {
      if (!read_namespace(sample, head.interval_s)) return false;
    }
    for (const auto& [id, row] : rows_) {
      head.totals += row.counts;
      head.unattributed += row.unattributed;
      head.namespaces.push_back(row);
    }
    model::sort_fullest_first(head.namespaces);
    return true;
  }

  bool read_namespace(std::int64_t sample, double interval_s) {
    Columns columns = netns_.row(sample);
    const auto id = columns.number<std::uint32_t>();
    model::NetnsInfo* const info = columns.ok() ? namespace_of(id) : nullptr;
    if (info == nullptr) return false;
    model::NetnsRow& row = rows_.at(id);
    const model::Counters before = row.counts;
    row.gone = columns.flag();
    row.limit = columns.optional_number();
    row.in_use = columns.optional_number();
    row.pre_existing = columns.optional_number();
    columns.expect(add_delta(columns.delta(), row.counts) && add_delta(columns.delta(), row.unattributed));
    for (auto* value : {&row.kernel.created, &row.kernel.overflow, &row.kernel.reused, &row.kernel.listen_overflows,
                        &row.kernel.listen_drops, &row.missed.created, &row.missed.overflow}) {
      *value = columns.optional_number();
    }
    row.reconciled = columns.optional([](Columns& flags) { return flags.flag(); });
    row.created_per_s = model::rate(row.counts.created(), before.created(), interval_s);
    row.overflow_per_s = model::rate(row.counts.overflow(), before.overflow(), interval_s);
    info->unattributed = row.unattributed;
    return columns.ok();
  }

  /// Known already, or looked up; nullptr when the file does not have it.
  model::NetnsInfo* namespace_of(std::uint32_t id) {
    for (model::NetnsInfo& info : tables_.infos) {
      if (info.id == id) return &info;
    }
    auto row = look_up(netns_by_id_, id);
    if (!row) return nullptr;
    const auto inode = row->number<std::uint32_t>();
    const std::string name = row->text();
    if (!row->ok()) return nullptr;
    model::NetnsRow& shown = rows_[id];
    shown.id = id;
    shown.netns = inode;
    shown.name = name;
    tables_.infos.push_back({id, inode, name, {}, {}});
    return &tables_.infos.back();
  }

  bool read_owner_changes(std::int64_t sample, model::Snapshot& /*head*/) {
    return read_changes(sample, owners_, tables_.owners, owner_by_id_, false);
  }
  bool read_peer_changes(std::int64_t sample, model::Snapshot& /*head*/) {
    return read_changes(sample, peers_, tables_.peers, peer_by_id_, true);
  }

  bool read_changes(std::int64_t sample, SampleRows& changes, Tracks& tracks, Statement& by_id, bool peers) {
    for (; changes.at(sample); changes.next()) {
      Columns row = changes.row(sample);
      const std::int64_t id = row.integer();
      auto found = tracks.find(id);
      if (found == tracks.end()) {
        auto key = read_key(by_id, id, peers);
        if (!key) return false;
        found = tracks.emplace(id, Track{std::move(*key), {}, {}, {}, 1, false, false}).first;
      }
      if (!read_change(row, found->second)) return false;
      if (found->second.pids == 0) {
        tracks.erase(found);
      } else if (!found->second.touched) {
        found->second.touched = true;
        touched_.emplace_back(&tracks, id);
      }
    }
    return true;
  }

  static bool read_change(Columns& row, Track& track) {
    const bool moved = row.flag();
    const Delta delta = row.delta();
    row.expect(add_delta(delta, track.counts) && (!moved || add_delta(delta, track.previous)));
    track.live = row.optional_number();
    track.pids = row.number<std::uint32_t>();
    track.exited = row.flag();
    return row.ok();
  }

  std::optional<model::TrackKey> read_key(Statement& by_id, std::int64_t id, bool peer) {
    auto row = look_up(by_id, id);
    if (!row) return std::nullopt;
    model::TrackKey key;
    model::Identity& who = key.identity;
    who.netns = row->number<std::uint32_t>();
    const std::int64_t service = row->integer();
    key.kind = row->flag() ? model::RowKind::kOther : model::RowKind::kNormal;
    who.pid = row->optional([](Columns& columns) { return columns.number<std::uint32_t>(kMaxPid); });
    who.start_ns = row->number<std::uint64_t>();
    who.comm = row->text();
    who.uid = row->number<std::uint32_t>();
    who.role = row->word(role_named, model::Role::kClient);
    who.port = row->number<std::uint16_t>();
    who.attribution = row->word(attribution_named, model::Attribution::kNone);
    who.ipv6 = row->flag();
    who.matched = row->flag();
    if (peer) {
      key.peer.emplace();
      key.peer->address = row->text();
      key.peer->port = row->optional([](Columns& columns) { return columns.number<std::uint16_t>(); });
    }
    if (!row->ok() || !read_service(service, who.service)) return std::nullopt;
    return key;
  }

  bool read_service(std::int64_t id, base::Service& service) {
    auto row = look_up(service_by_id_, id);
    if (!row) return false;
    for (auto* text : {&service.kind, &service.name, &service.cgroup, &service.pod.uid, &service.container}) {
      *text = row->text();
    }
    return row->ok();
  }

  static std::optional<Columns> look_up(Statement& by_id, std::int64_t id) {
    by_id.reset();
    by_id.bind_all(id);
    if (by_id.step() != SQLITE_ROW) return std::nullopt;
    return Columns(by_id.get());
  }

  /// What was counted in this sample is the past of the next.
  void settle() {
    for (const auto& [tracks, id] : touched_) {
      const auto found = tracks->find(id);
      if (found == tracks->end()) continue;
      found->second.previous = found->second.counts;
      found->second.touched = false;
    }
    touched_.clear();
  }

  const Database& database_;
  const model::CaptureInfo& info_;
  SampleRows samples_, suspensions_, losses_, ports_, netns_, owners_, peers_;
  Statement netns_by_id_, service_by_id_, owner_by_id_, peer_by_id_;
  Tables tables_;
  std::map<std::uint32_t, model::NetnsRow> rows_;
  model::Losses lost_;
  std::shared_ptr<const std::vector<model::PortUse>> port_use_;
  bool ports_counted_ = false;
  std::vector<std::pair<Tracks*, std::int64_t>> touched_;
};

}  // namespace

base::Error malformed(const Database& database, const char* table) {
  return {base::ErrorCode::kInvalid, 0, fmt::format("{}: table {} holds what cannot be", database.path(), table),
          "the file was damaged or made up; nothing in it can be believed"};
}

base::Result<void> replay(const Database& database, const model::CaptureInfo& info, const model::SampleVisitor& visit) {
  Replay replay(database, info);
  return replay.run(visit);
}

}  // namespace twtrace::capture
