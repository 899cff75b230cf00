// SPDX-License-Identifier: Apache-2.0
#include "view/sort.hpp"

#include <algorithm>
#include <set>

#include "support/catch.hpp"
#include "support/entries.hpp"

using namespace twtrace::model;
using namespace twtrace::view;
using namespace twtrace::test;

namespace {

/// As RowList makes them of what it has grouped.
SortItem sort_item(const Row& row, std::size_t index) {
  static const std::string kNoName;
  static const twtrace::base::Service kNoService;
  SortItem item;
  item.kind = row.kind;
  item.created_per_s = row.created_per_s;
  item.overflow_per_s = row.overflow_per_s;
  item.created = row.counts.created();
  item.overflow = row.counts.overflow();
  item.fin_wait2 = row.counts.fin_wait2;
  item.felt = row.counts.resets_felt;
  item.no_port = row.counts.no_port_connect();
  item.no_port_bind = row.counts.no_port_bind;
  item.queue_drops = row.counts.queue_drops;
  item.live = row.live;
  item.use = row.use;
  item.comm = row.process ? &row.process->comm : &kNoName;
  item.service = row.service ? &*row.service : &kNoService;
  if (row.process) {
    item.pid = row.process->pid;
    item.uid = row.process->uid;
  }
  item.role = row.role;
  item.port = row.port;
  item.netns = row.netns;
  item.netns_id = row.netns_id;
  item.peer = row.peer ? &*row.peer : nullptr;
  item.attribution = row.attribution;
  item.index = index;
  return item;
}

void sort_rows(std::vector<Row>& rows, SortColumn column) {
  const RowOrder order{column, false};
  std::vector<SortItem> items;
  items.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) order.set_rank(items.emplace_back(sort_item(rows[i], i)));
  std::sort(items.begin(), items.end(), order);
  std::vector<Row> sorted;
  sorted.reserve(rows.size());
  for (const SortItem& item : items) sorted.push_back(std::move(rows[item.index]));
  rows = std::move(sorted);
}

Row row_of(std::uint32_t pid) {
  Row row;
  row.process = ProcessId{pid, "c", 0, 1, false};
  row.service = systemd("s.service");
  row.role = Role::kClient;
  row.port = std::uint16_t{80};
  row.netns = 1;
  return row;
}

Row random_row(Random& random) {
  Row row = row_of(static_cast<std::uint32_t>(random.up_to(3)));
  row.process->comm = std::string(1, static_cast<char>('a' + random.up_to(2)));
  row.service->name = std::string(1, static_cast<char>('x' + random.up_to(2)));
  row.port = static_cast<std::uint16_t>(random.up_to(2));
  row.netns = static_cast<std::uint32_t>(random.up_to(1));
  row.counts = {random.up_to(1), random.up_to(1), random.up_to(1)};
  row.created_per_s = static_cast<double>(random.up_to(1));
  if (random.up_to(3) == 0) row.process->pid.reset();
  if (random.up_to(5) == 0) row.process.reset();
  if (random.up_to(5) == 0) row.port.reset();
  if (random.up_to(1) == 0) row.live = random.up_to(2);
  const std::uint64_t kind = random.up_to(5);
  if (kind == 0) row.kind = RowKind::kOther;
  if (kind == 1) row.kind = RowKind::kUnattributed;
  return row;
}

std::string optional_text(const auto& value) { return value ? ' ' + std::to_string(*value) : " -"; }

std::string identity_of(const Row& row) {
  std::string text = std::to_string(static_cast<int>(row.kind)) + ' ' + row.service->name;
  text += row.process ? ' ' + row.process->comm + optional_text(row.process->pid) : " -";
  return text + optional_text(row.port) + optional_text(row.netns);
}

// Everything of a row that a reader can tell apart.
std::string text_of(const Row& row) {
  std::string text = identity_of(row) + optional_text(row.live);
  for (const std::uint64_t count : {row.counts.time_wait, row.counts.fin_wait2, row.counts.overflow_time_wait}) {
    text += ' ' + std::to_string(count);
  }
  return text + ' ' + std::to_string(row.created_per_s);
}

std::vector<std::uint32_t> pids_sorted_by(std::vector<Row> rows, SortColumn column) {
  sort_rows(rows, column);
  std::vector<std::uint32_t> pids;
  for (const Row& row : rows) pids.push_back(row.process->pid.value_or(0));
  return pids;
}

using Pids = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("every column has one name") {
  std::set<SortColumn> columns;
  for (const SortName& name : sort_names()) {
    CHECK_FALSE(name.name.empty());
    CHECK(columns.insert(name.column).second);
    CHECK_FALSE(name.help.empty());
  }
  CHECK(columns.size() == 13);
}

TEST_CASE("counts and rates sort descending") {
  std::vector<Row> rows = {row_of(1), row_of(2), row_of(3)};
  const auto column_of = [&](auto change, SortColumn column) {
    std::vector<Row> changed = rows;
    for (std::size_t i = 0; i < changed.size(); ++i) change(changed[i], i);
    return pids_sorted_by(changed, column);
  };
  const Pids descending = {3, 2, 1};
  CHECK(column_of([](Row& row, std::size_t i) { row.created_per_s = static_cast<double>(i); },
                  SortColumn::kCreatedRate) == descending);
  CHECK(column_of([](Row& row, std::size_t i) { row.overflow_per_s = static_cast<double>(i); },
                  SortColumn::kOverflowRate) == descending);
  CHECK(column_of([](Row& row, std::size_t i) { row.counts.time_wait = i; }, SortColumn::kCreated) == descending);
  CHECK(column_of([](Row& row, std::size_t i) { row.counts.overflow_fin_wait2 = i; }, SortColumn::kOverflow) ==
        descending);
  CHECK(column_of([](Row& row, std::size_t i) { row.counts.fin_wait2 = i; }, SortColumn::kFinWait2) == descending);
  CHECK(column_of([](Row& row, std::size_t i) { row.live = i; }, SortColumn::kLive) == descending);
  CHECK(column_of([](Row& row, std::size_t i) { row.counts.resets_felt = i; }, SortColumn::kFelt) == descending);
  CHECK(column_of([](Row& row, std::size_t i) { row.counts.no_port = row.counts.no_port_bind = i; },
                  SortColumn::kNoPort) == descending);
  CHECK(column_of([](Row& row, std::size_t i) { row.counts.queue_drops = i; }, SortColumn::kQueueDrops) == descending);
}

TEST_CASE("pids, names and ports sort ascending, unknown ones last") {
  CHECK(pids_sorted_by({row_of(30), row_of(4), row_of(200)}, SortColumn::kPid) == Pids{4, 30, 200});
  std::vector<Row> rows = {row_of(1), row_of(2), row_of(3)};
  rows[0].process->comm = "b";
  rows[1].process->comm = "a";
  rows[2].process->comm = "aa";
  CHECK(pids_sorted_by(rows, SortColumn::kComm) == Pids{2, 3, 1});
  rows[0].service = systemd("b");
  rows[1].service = systemd("c");
  rows[2].service = systemd("a");
  CHECK(pids_sorted_by(rows, SortColumn::kService) == Pids{3, 1, 2});
  rows[0].port.reset();
  rows[1].port = std::uint16_t{443};
  CHECK(pids_sorted_by(rows, SortColumn::kPort) == Pids{3, 2, 1});
  rows[1].process->pid.reset();
  CHECK(pids_sorted_by(rows, SortColumn::kPid) == Pids{1, 3, 0});
}

TEST_CASE("ties are broken by overflow, then harm, then created, then the rest") {
  std::vector<Row> rows = {row_of(5), row_of(4), row_of(3), row_of(2), row_of(1)};
  rows[2].counts.time_wait = 9;
  rows[3].counts.resets_felt = 1;
  rows[4].counts.overflow_time_wait = 1;
  CHECK(pids_sorted_by(rows, SortColumn::kCreatedRate) == Pids{1, 2, 3, 4, 5});
}

TEST_CASE("(other) and (unattributed) come last whatever they count") {
  for (const SortName& name : sort_names()) {
    std::vector<Row> rows(3);
    rows[0].kind = RowKind::kUnattributed;
    rows[1].kind = RowKind::kOther;
    for (std::size_t i = 0; i < 2; ++i) {
      rows[i].counts = {1000, 1000, 1000, 1000};
      rows[i].live = 1000;
      rows[i].created_per_s = rows[i].overflow_per_s = 1000;
    }
    rows[2] = row_of(70000);
    sort_rows(rows, name.column);
    INFO(name.name);
    CHECK(rows[0].kind == RowKind::kNormal);
    CHECK(rows[1].kind == RowKind::kOther);
    CHECK(rows[2].kind == RowKind::kUnattributed);
  }
}

TEST_CASE("the order is total: it does not depend on where rows started") {
  Random random(42);
  for (const SortName& name : sort_names()) {
    std::vector<Row> rows;
    std::set<std::string> identities;
    while (rows.size() < 60) {  // of one identity there is one row
      Row row = random_row(random);
      if (identities.insert(identity_of(row)).second) rows.push_back(std::move(row));
    }
    const auto sorted_text = [&] {
      std::vector<Row> sorted = rows;
      sort_rows(sorted, name.column);
      std::string text;
      for (const Row& row : sorted) text += text_of(row) + '\n';
      return text;
    };
    const std::string expected = sorted_text();
    for (int shuffle = 0; shuffle < 20; ++shuffle) {
      for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random.up_to(i - 1)]);
      INFO(name.name);
      REQUIRE(sorted_text() == expected);
    }
  }
}
