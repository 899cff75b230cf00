// SPDX-License-Identifier: Apache-2.0
#include "view/sort.hpp"

#include <compare>
#include <cstdint>
#include <limits>
#include <tuple>

namespace twtrace::view {
namespace {

/// Smaller sorts first.
double rank_of(const SortItem& item, SortColumn column) {
  switch (column) {
    case SortColumn::kCreatedRate:
      return -item.created_per_s;
    case SortColumn::kOverflowRate:
      return -item.overflow_per_s;
    case SortColumn::kCreated:
      return -static_cast<double>(item.created);
    case SortColumn::kOverflow:
      return -static_cast<double>(item.overflow);
    case SortColumn::kLive:
      return -static_cast<double>(item.live.value_or(0));
    case SortColumn::kFinWait2:
      return -static_cast<double>(item.fin_wait2);
    case SortColumn::kPid:
      return item.pid ? *item.pid : std::numeric_limits<double>::max();
    case SortColumn::kPort:
      return item.port ? *item.port : std::numeric_limits<double>::max();
    case SortColumn::kFelt:
      return -static_cast<double>(item.felt);
    case SortColumn::kNoPort:
      return -static_cast<double>(item.no_port + item.no_port_bind);
    case SortColumn::kQueueDrops:
      return -static_cast<double>(item.queue_drops);
    case SortColumn::kUse:
      return item.use && item.use->of != 0 ? -static_cast<double>(item.use->taken) / static_cast<double>(item.use->of)
                                           : 1;
    case SortColumn::kComm:
    case SortColumn::kService:
      return 0;
  }
  return 0;
}

int compare_names(const SortItem& left, const SortItem& right, SortColumn column) {
  if (column == SortColumn::kComm) return left.comm->compare(*right.comm);
  if (column == SortColumn::kService) return left.service->name.compare(right.service->name);
  return 0;
}

/// Who was hurt, without refusals.
std::uint64_t harm_of(const SortItem& item) { return item.felt + item.no_port + item.no_port_bind + item.queue_drops; }

/// Neighbours often share one string. Then no letters need to be compared.
std::strong_ordering compare_services(const SortItem& left, const SortItem& right) {
  return left.service == right.service ? std::strong_ordering::equal : *left.service <=> *right.service;
}

std::strong_ordering compare_peers(const SortItem& left, const SortItem& right) {
  if (left.peer == nullptr || right.peer == nullptr) return (left.peer != nullptr) <=> (right.peer != nullptr);
  return *left.peer <=> *right.peer;
}

/// Every dimension of a row.
bool breaks_tie(const SortItem& left, const SortItem& right) {
  if (left.kind != right.kind) return left.kind < right.kind;
  if (const auto order = compare_services(left, right); order != 0) return order < 0;
  const auto first = [](const SortItem& item) {
    return std::tie(*item.comm, item.pid, item.uid, item.role, item.port, item.netns, item.netns_id);
  };
  if (first(left) != first(right)) return first(left) < first(right);
  if (const auto order = compare_peers(left, right); order != 0) return order < 0;
  if (left.attribution != right.attribution) return left.attribution < right.attribution;
  return left.index < right.index;
}

/// Remainders come last. Buckets from before the start are found among the rows that hold as many.
model::RowKind rank(model::RowKind kind) {
  return kind == model::RowKind::kBeforeStart ? model::RowKind::kNormal : kind;
}

}  // namespace

const std::vector<SortName>& sort_names() {
  static const std::vector<SortName> kNames = {
      {SortColumn::kCreatedRate, "created/s", "buckets created per second in the last interval (default)"},
      {SortColumn::kOverflowRate, "overflow/s", "buckets refused per second in the last interval"},
      {SortColumn::kCreated, "created", "buckets created since start"},
      {SortColumn::kOverflow, "overflow", "buckets refused because the table was full, since start"},
      {SortColumn::kLive, "live", "buckets that exist now"},
      {SortColumn::kFinWait2, "fin_wait2", "buckets created as FIN_WAIT2, since start"},
      {SortColumn::kFelt, "resets_felt", "resets of sockets that a process still had, since start"},
      {SortColumn::kNoPort, "no_port", "calls that found no free local port, since start"},
      {SortColumn::kQueueDrops, "queue_drops", "connection attempts that a listening socket dropped, since start"},
      {SortColumn::kPid, "pid", "process id"},
      {SortColumn::kComm, "comm", "process name"},
      {SortColumn::kService, "service", "service name"},
      {SortColumn::kPort, "port", "service port"},
  };
  return kNames;
}

std::string_view sort_name_of(SortColumn column) {
  for (const SortName& known : sort_names()) {
    if (known.column == column) return known.name;
  }
  return {};
}

void RowOrder::set_rank(SortItem& item) const { item.rank = rank_of(item, column); }

bool RowOrder::operator()(const SortItem& left, const SortItem& right) const {
  if (rank(left.kind) != rank(right.kind)) return rank(left.kind) < rank(right.kind);
  if (left.rank != right.rank) return (left.rank < right.rank) != reverse;
  if (const int order = compare_names(left, right, column); order != 0) return (order < 0) != reverse;
  if (left.overflow != right.overflow) return left.overflow > right.overflow;
  if (harm_of(left) != harm_of(right)) return harm_of(left) > harm_of(right);
  if (left.created != right.created) return left.created > right.created;
  return breaks_tie(left, right);
}

}  // namespace twtrace::view
