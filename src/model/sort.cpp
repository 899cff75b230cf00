// SPDX-License-Identifier: Apache-2.0
#include "model/sort.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <tuple>

namespace twtrace::model {
namespace {

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
    case SortColumn::kComm:
    case SortColumn::kService:
      return 0;
  }
  return 0;
}

std::string name(const Row& row, SortColumn column) {
  if (column == SortColumn::kComm && row.process) return row.process->comm;
  if (column == SortColumn::kService && row.service) return row.service->name;
  return {};
}

auto tie_breaker(const Row& row) {
  const ProcessId process = row.process.value_or(ProcessId{});
  return std::make_tuple(-static_cast<double>(row.counts.overflow()), -static_cast<double>(row.counts.created()),
                         row.service.value_or(base::Service{}), process.comm, process.pid, process.uid, row.role,
                         row.port, row.netns, row.peer, row.attribution);
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

void sort_rows(std::vector<Row>& rows, SortColumn column) {
  std::stable_sort(rows.begin(), rows.end(), [column](const Row& left, const Row& right) {
    if (left.kind != right.kind) return left.kind < right.kind;
    if (const double l = rank(left, column), r = rank(right, column); l != r) return l < r;
    if (const int order = name(left, column).compare(name(right, column)); order != 0) return order < 0;
    return tie_breaker(left) < tie_breaker(right);
  });
}

}  // namespace twtrace::model
