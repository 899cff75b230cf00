// SPDX-License-Identifier: Apache-2.0
#include "model/sort.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <tuple>
#include <utility>

namespace twtrace::model {
namespace {

double fill(const NetnsRow& row) {
  if (!row.limit || !row.in_use || *row.limit == 0) return 0;
  return static_cast<double>(*row.in_use) / static_cast<double>(*row.limit);
}

/// Smaller sorts first.
double rank(const Row& row, SortColumn column) {
  switch (column) {
    case SortColumn::kCreatedRate:
      return -row.created_per_s;
    case SortColumn::kOverflowRate:
      return -row.overflow_per_s;
    case SortColumn::kCreated:
      return -static_cast<double>(row.counts.created());
    case SortColumn::kOverflow:
      return -static_cast<double>(row.counts.overflow());
    case SortColumn::kLive:
      return -static_cast<double>(row.live.value_or(0));
    case SortColumn::kFinWait2:
      return -static_cast<double>(row.counts.fin_wait2);
    case SortColumn::kPid:
      return row.process && row.process->pid ? *row.process->pid : std::numeric_limits<double>::max();
    case SortColumn::kPort:
      return row.port ? *row.port : std::numeric_limits<double>::max();
    case SortColumn::kUse:
      return row.use && row.use->of != 0 ? -static_cast<double>(row.use->taken) / static_cast<double>(row.use->of) : 1;
    case SortColumn::kComm:
    case SortColumn::kService:
      return 0;
  }
  return 0;
}

const std::string& name(const Row& row, SortColumn column) {
  static const std::string kNone;
  if (column == SortColumn::kComm && row.process) return row.process->comm;
  if (column == SortColumn::kService && row.service) return row.service->name;
  return kNone;
}

/// Every dimension of a row, by reference: rows are compared hundreds of thousands of times per second.
auto tie_breaker(const Row& row) {
  static const ProcessId kNoProcess;
  static const base::Service kNoService;
  const ProcessId& process = row.process ? *row.process : kNoProcess;
  return std::tie(row.service ? *row.service : kNoService, process.comm, process.pid, process.uid, row.role, row.port,
                  row.netns, row.peer, row.attribution);
}

/// A row on its way to its place.
struct Ranked {
  double rank;
  std::uint64_t overflow;
  std::uint64_t created;
  const Row* row;
};

Ranked ranked(const Row& row, SortColumn column) {
  return {rank(row, column), row.counts.overflow(), row.counts.created(), &row};
}

bool comes_before(const Ranked& left, const Ranked& right, SortColumn column, bool reverse) {
  if (left.row->kind != right.row->kind) return left.row->kind < right.row->kind;
  if (left.rank != right.rank) return (left.rank < right.rank) != reverse;
  if (const int order = name(*left.row, column).compare(name(*right.row, column)); order != 0) {
    return (order < 0) != reverse;
  }
  if (left.overflow != right.overflow) return left.overflow > right.overflow;
  if (left.created != right.created) return left.created > right.created;
  return tie_breaker(*left.row) < tie_breaker(*right.row);
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
      {SortColumn::kPid, "pid", "process id"},
      {SortColumn::kComm, "comm", "process name"},
      {SortColumn::kService, "service", "service name"},
      {SortColumn::kPort, "port", "service port"},
  };
  return kNames;
}

std::optional<SortColumn> sort_column_named(std::string_view name) {
  for (const SortName& known : sort_names()) {
    if (known.name == name) return known.column;
  }
  return std::nullopt;
}

void sort_rows(std::vector<Row>& rows, SortColumn column, bool reverse) {
  std::vector<Ranked> order;
  order.reserve(rows.size());
  for (const Row& row : rows) order.push_back(ranked(row, column));
  std::stable_sort(order.begin(), order.end(),
                   [&](const Ranked& left, const Ranked& right) { return comes_before(left, right, column, reverse); });
  std::vector<Row> sorted;
  sorted.reserve(rows.size());
  for (const Ranked& next : order) sorted.push_back(std::move(rows[static_cast<std::size_t>(next.row - rows.data())]));
  rows = std::move(sorted);
}

void sort_fullest_first(std::vector<NetnsRow>& namespaces) {
  std::stable_sort(namespaces.begin(), namespaces.end(), [](const NetnsRow& left, const NetnsRow& right) {
    if (fill(left) != fill(right)) return fill(left) > fill(right);
    return left.counts.created() > right.counts.created();
  });
}

}  // namespace twtrace::model
