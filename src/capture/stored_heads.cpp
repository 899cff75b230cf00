// SPDX-License-Identifier: Apache-2.0
#include "capture/stored_heads.hpp"

#include <algorithm>
#include <string>

#include "capture/limits.hpp"
#include "capture/versions.hpp"
#include "model/netns_order.hpp"
#include "model/rate.hpp"

namespace twtrace::capture {
namespace {

// What a visitor of rows needs comes first.
constexpr const char* kSampleTimes = "SELECT id, time_unix_ms, interval_s";
constexpr const char* kSampleRest =
    ", uptime_s, live_age_s, cpu_percent, rss_bytes, bpf_run_ns_per_event, ports_counted";

std::string netns_columns(std::int64_t version, bool times_only) {
  std::string columns = "SELECT sample, netns, " + delta_columns(version, "unattributed_");
  if (times_only) return columns;
  const auto later = [&](const std::string& name, std::int64_t since = kVersionWithResetsSent) {
    return (version < since ? "NULL" : name) + ", ";
  };
  return columns + ", gone, \"limit\", in_use, pre_existing, " + delta_columns(version) +
         ", kernel_created_total, kernel_overflow_total, kernel_reused_total, listen_overflows_total, "
         "listen_drops_total, " +
         later("kernel_out_resets_total") + "missed_created_total, missed_overflow_total, " +
         later("missed_resets_sent_total") + later("missed_queue_drops_total", kVersionWithQueues) + "reconciled";
}

}  // namespace

base::Result<StoredHeads> StoredHeads::open(const Database& database, const model::CaptureInfo& info,
                                            const StoredNetns& namespaces, StoredServices& services,
                                            model::Wanted wanted) {
  StoredHeads heads;
  heads.wanted_ = wanted;
  heads.host_ = info.host;
  heads.probe_ = info.probe;
  if (!info.logs.empty()) heads.logs_ = std::make_shared<const std::vector<model::Log>>(info.logs);
  auto suspensions = open_suspensions(database);
  if (!suspensions) return tl::unexpected(suspensions.error());
  heads.suspensions_ = std::move(*suspensions);
  heads.namespaces_ = &namespaces;
  const auto version = database.version();
  if (!version) return tl::unexpected(version.error());
  const bool times_only = wanted == model::Wanted::kRows;
  std::vector<std::pair<SampleRows*, std::string>> all = {
      {&heads.samples_, kSampleTimes + std::string(times_only ? "" : kSampleRest) + " FROM sample ORDER BY id"},
      {&heads.netns_, netns_columns(*version, times_only) + " FROM netns_sample ORDER BY id"}};
  if (!times_only) {
    all.emplace_back(&heads.losses_,
                     "SELECT sample, events_total, counts_total, rows_full_total, rows_busy_total, netns_full_total, "
                     "sockets_full_total, buckets_full_total, cgroups_full_total, listeners_full_total, "
                     "pairs_lost_total, " +
                         std::string(*version < kVersionWithResetsSent ? "0" : "refused_full_total") +
                         ", recursion_misses_total FROM loss ORDER BY id");
    all.emplace_back(&heads.ports_,
                     "SELECT sample, " + std::string(namespaces.columns()) + ", address, port, taken, " +
                         (*version < kVersionWithBoundPorts ? "NULL, NULL, NULL" : "bound, bound_to, outside") +
                         ", usable" + (*version < kVersionWithOwnPorts ? ", NULL, NULL" : ", own_first, own_last") +
                         " FROM port_use ORDER BY id");
  }
  if (!times_only && *version >= kVersionWithLogs) {
    all.emplace_back(&heads.log_lines_,
                     "SELECT sample, log, time_unix_ms, lines, text FROM log_line ORDER BY sample, id");
  }
  if (!times_only && *version >= kVersionWithQueues) {
    all.emplace_back(&heads.listening_,
                     "SELECT sample, netns, netns_id, port, service, comm, length, \"limit\", drops_total, somaxconn, "
                     "tcp_max_syn_backlog FROM listen_queue ORDER BY id");
  }
  if (info.probe.sees.queue_drops) heads.queues_ = std::make_shared<std::vector<model::ListenQueue>>();
  for (const auto& [rows, sql] : all) {
    auto opened = SampleRows::open(database, sql);
    if (!opened) return tl::unexpected(opened.error());
    *rows = std::move(*opened);
  }
  auto netns_by_id = database.prepare("SELECT inode, name FROM netns WHERE id=?");
  if (!netns_by_id) return tl::unexpected(netns_by_id.error());
  heads.netns_by_id_ = std::move(*netns_by_id);
  heads.services_ = &services;
  return heads;
}

std::array<std::pair<const SampleRows*, const char*>, 7> StoredHeads::tables() const {
  return {std::pair(&samples_, "sample"), {&suspensions_, "suspension"}, {&losses_, "loss"},
          {&ports_, "port_use"},          {&log_lines_, "log_line"},     {&listening_, "listen_queue"},
          {&netns_, "netns_sample"}};
}

model::SnapshotPtr StoredHeads::read(std::int64_t sample) {
  if (!head_ || head_.use_count() > 1) {
    head_ = std::make_shared<model::Snapshot>();
    head_->host = host_;
    head_->probe = probe_;
    head_->logs = logs_;
  }
  const auto steps = {std::pair(&StoredHeads::read_sample, "sample"),
                      {&StoredHeads::read_suspensions, "suspension"},
                      {&StoredHeads::read_losses, "loss"},
                      {&StoredHeads::read_ports, "port_use"},
                      {&StoredHeads::read_log_lines, "log_line"},
                      {&StoredHeads::read_queues, "listen_queue"},
                      {&StoredHeads::read_namespaces, "netns_sample"}};
  for (const auto& [step, table] : steps) {
    bad_table_ = table;
    if (!(this->*step)(sample, *head_)) return nullptr;
  }
  return head_;
}

bool StoredHeads::read_sample(std::int64_t sample, model::Snapshot& head) {
  Columns row = samples_.row(sample);
  head.time_unix_ms = row.unix_ms();
  head.interval_s = row.length();
  if (wanted_ != model::Wanted::kRows) {
    const auto length = [](Columns& columns) { return columns.length(); };
    head.uptime_s = row.length();
    head.live_age_s = row.optional(length);
    head.cost.cpu_percent = row.length();
    head.cost.rss_bytes = row.count();
    head.cost.bpf_run_ns_per_event = row.optional(length);
    ports_counted_ = row.flag();
  }
  samples_.next();
  return row.ok();
}

bool StoredHeads::read_suspensions(std::int64_t sample, model::Snapshot& head) {
  head.suspended_s = 0;
  for (; suspensions_.at(sample); suspensions_.next()) {
    Columns row = suspensions_.row(sample);
    head.suspended_s += row.length();
    if (!row.ok()) return false;
  }
  return true;
}

bool StoredHeads::read_losses(std::int64_t sample, model::Snapshot& head) {
  for (; losses_.at(sample); losses_.next()) {
    Columns row = losses_.row(sample);
    for (auto* total :
         {&lost_.events, &lost_.counts, &lost_.rows_full, &lost_.rows_busy, &lost_.netns_full, &lost_.sockets_full,
          &lost_.buckets_full, &lost_.cgroups_full, &lost_.listeners_full, &lost_.pairs_lost, &lost_.refused_full}) {
      *total = row.count();
    }
    lost_.recursion_misses = row.optional_count();
    if (!row.ok()) return false;
  }
  head.lost = lost_;
  return true;
}

bool StoredHeads::read_ports(std::int64_t sample, model::Snapshot& head) {
  if (ports_counted_) {
    auto counted = std::make_shared<std::vector<model::PortUse>>();
    for (; ports_.at(sample); ports_.next()) {
      Columns row = ports_.row(sample);
      model::PortUse use;
      use.netns = row.number<std::uint32_t>();
      use.netns_id = namespaces_->id(use.netns, row);
      use.destination.address = row.text();
      use.destination.port = row.optional([](Columns& columns) { return columns.number<std::uint16_t>(); });
      use.ports.taken = row.gauge();
      for (auto* count : {&use.bound, &use.bound_to, &use.outside}) *count = row.optional_gauge();
      use.ports.of = row.gauge();
      const auto port = [](Columns& columns) { return columns.number<std::uint16_t>(); };
      const auto first = row.optional(port);
      const auto last = row.optional(port);
      if (first && last) use.own = model::PortRange{*first, *last};
      if (!row.ok() || counted->size() == kMostPortUse) return false;
      counted->push_back(std::move(use));
    }
    port_use_ = std::move(counted);
  }
  head.port_use = port_use_;
  return !ports_.at(sample);
}

bool StoredHeads::read_log_lines(std::int64_t sample, model::Snapshot& head) {
  head.log_lines = nullptr;
  if (!log_lines_.at(sample)) return true;
  auto lines = std::make_shared<std::vector<model::LogLine>>();
  const std::size_t logs = logs_ ? logs_->size() : 0;
  for (; log_lines_.at(sample); log_lines_.next()) {
    Columns row = log_lines_.row(sample);
    model::LogLine line;
    line.log = row.number<std::size_t>(logs) - 1;
    row.expect(line.log < logs);
    line.time_unix_ms = row.unix_ms();
    line.lines = row.count();
    line.text = row.optional([](Columns& columns) { return columns.text(kLongestLogText); });
    if (!row.ok() || lines->size() == kMostLogLines) return false;
    lines->push_back(std::move(line));
  }
  head.log_lines = std::move(lines);
  return true;
}

/// Those of a sample replace those of before. A queue that does not change has no rate.
bool StoredHeads::read_queues(std::int64_t sample, model::Snapshot& head) {
  if (queues_ == nullptr) return !listening_.at(sample);
  const auto moves = [](const model::ListenQueue& queue) { return queue.drops_per_s != 0; };
  if (!listening_.at(sample) && std::none_of(queues_->begin(), queues_->end(), moves)) {  // as in most samples
    head.queues = queues_;
    return true;
  }
  auto queues = std::make_shared<std::vector<model::ListenQueue>>();
  for (; listening_.at(sample); listening_.next()) {
    Columns row = listening_.row(sample);
    queues->push_back(read_queue(row));
    if (!row.ok() || queues->size() > model::kMostQueues) return false;
  }
  if (queues->empty()) *queues = *queues_;
  for (model::ListenQueue& queue : *queues) {
    const auto before = std::find_if(queues_->begin(), queues_->end(),
                                     [&](const model::ListenQueue& each) { return is_same(each, queue); });
    queue.drops_per_s = model::rate(queue.drops, before == queues_->end() ? 0 : before->drops, head.interval_s);
  }
  queues_ = std::move(queues);
  head.queues = queues_;
  return true;
}

model::ListenQueue StoredHeads::read_queue(Columns& row) {
  model::ListenQueue queue;
  queue.netns = row.number<std::uint32_t>();
  queue.netns_id = row.number<std::uint32_t>();
  queue.port = row.number<std::uint16_t>();
  const auto service = services_->find(row.integer());
  if (row.expect(service.has_value())) queue.service = *service;
  queue.comm = row.text();
  queue.queue.taken = row.gauge();
  queue.queue.of = row.gauge();
  queue.drops = row.count();
  queue.somaxconn = row.optional_gauge();
  queue.syn_backlog = row.optional_gauge();
  return queue;
}

bool StoredHeads::read_namespaces(std::int64_t sample, model::Snapshot& head) {
  for (const std::size_t index : changed_) {
    rows_[index].created_per_s = rows_[index].overflow_per_s = 0;
    infos_[index].unattributed_previous = infos_[index].unattributed;
  }
  changed_.clear();
  for (; netns_.at(sample); netns_.next()) {
    if (!read_namespace(sample, head.interval_s)) return false;
  }
  head.totals = totals_;
  head.unattributed = unattributed_;
  head.namespaces.clear();
  if (wanted_ == model::Wanted::kAll) {
    head.namespaces = rows_;
    model::sort_fullest_first(head.namespaces);
  } else if (wanted_ == model::Wanted::kHeads) {
    head.namespaces.reserve(changed_.size());
    for (const std::size_t index : changed_) head.namespaces.push_back(rows_[index]);
  }
  return true;
}

bool StoredHeads::read_namespace(std::int64_t sample, double interval_s) {
  Columns columns = netns_.row(sample);
  const auto id = columns.number<std::uint32_t>();
  const auto index = columns.ok() ? index_of(id) : std::nullopt;
  if (!index || std::exchange(sampled_[*index], sample) == sample) return false;
  changed_.push_back(*index);
  model::NetnsRow& row = rows_[*index];
  const Delta unattributed = columns.delta();
  columns.expect(add_delta(unattributed, row.unattributed) && add_delta(unattributed, unattributed_));
  infos_[*index].unattributed = row.unattributed;
  if (wanted_ != model::Wanted::kRows) read_numbers(columns, row, interval_s);
  return columns.ok();
}

void StoredHeads::read_numbers(Columns& columns, model::NetnsRow& row, double interval_s) {
  const model::Counters before = row.counts;
  row.gone = columns.flag();
  row.limit = columns.optional_gauge();
  row.in_use = columns.optional_gauge();
  row.pre_existing = columns.optional_gauge();
  const Delta counts = columns.delta();
  columns.expect(add_delta(counts, row.counts) && add_delta(counts, totals_));
  for (auto* value : {&row.kernel.created, &row.kernel.overflow, &row.kernel.reused, &row.kernel.listen_overflows,
                      &row.kernel.listen_drops, &row.kernel.out_resets, &row.missed.created, &row.missed.overflow,
                      &row.missed.resets_sent, &row.missed.queue_drops}) {
    *value = columns.optional_count();
  }
  row.reconciled = columns.optional([](Columns& flags) { return flags.flag(); });
  row.created_per_s = model::rate(row.counts.created(), before.created(), interval_s);
  row.overflow_per_s = model::rate(row.counts.overflow(), before.overflow(), interval_s);
}

/// Known already, or looked up; empty when the file does not have it.
std::optional<std::size_t> StoredHeads::index_of(std::uint32_t id) {
  const auto [known, is_new] = index_.try_emplace(id, rows_.size());
  if (!is_new) return known->second;
  const auto name = name_of(id);
  if (!name || rows_.size() == kMostNamespaces) return std::nullopt;
  model::NetnsRow& shown = rows_.emplace_back();
  shown.id = id;
  shown.netns = name->inum;
  shown.name = name->name;
  infos_.push_back({id, shown.netns, shown.name, {}, {}});
  sampled_.push_back(0);
  return known->second;
}

std::optional<model::NetnsName> StoredHeads::name_of(std::uint32_t id) {
  if (const model::NetnsName* known = namespaces_->find(id)) return *known;
  auto row = look_up(netns_by_id_, id);
  if (!row) return std::nullopt;
  model::NetnsName name;
  name.id = id;
  name.inum = row->number<std::uint32_t>();
  name.name = row->text(kLongestPath);
  return row->ok() ? std::optional(std::move(name)) : std::nullopt;
}

}  // namespace twtrace::capture
