// SPDX-License-Identifier: Apache-2.0
#include "view/columns.hpp"

#include <algorithm>
#include <set>
#include <string>

#include "support/catch.hpp"
#include "support/snapshots.hpp"

using namespace twtrace;

TEST_CASE("every group's columns are complete, unique and can be dropped down to something") {
  for (const model::Group group : {model::Group::kProcess, model::Group::kPid, model::Group::kService,
                                   model::Group::kPort, model::Group::kPeer, model::Group::kNetns}) {
    INFO(model::to_string(group));
    const auto& normal = view::columns(group, false);
    const auto& wide = view::columns(group, true);
    std::set<std::string_view> names;
    for (const view::Column& column : wide) {
      CHECK(names.insert(column.name).second);
      CHECK_FALSE(column.title.empty());
      CHECK_FALSE(column.help.empty());
      REQUIRE(column.value != nullptr);
    }
    CHECK(wide.size() > normal.size());
    const auto harm = std::find_if(normal.begin(), normal.end(), [](const auto& column) { return column.harm; });
    CHECK(
        std::equal(normal.begin(), harm, wide.begin(), [](const auto& a, const auto& b) { return a.name == b.name; }));
    CHECK(std::all_of(harm, normal.end(), [](const auto& column) { return column.harm; }));
    CHECK(normal.end() - harm == 3);
    CHECK(std::none_of(wide.begin(), wide.end(), [](const auto& column) { return column.harm; }));

    const auto label = std::find_if(normal.begin(), normal.end(),
                                    [&](const auto& column) { return column.name == view::label_column(group); });
    REQUIRE(label != normal.end());
    CHECK(label->priority == 0);
    for (const std::string_view name : {"created_per_s", "created", "overflow", "live"}) CHECK(names.count(name) == 1);
  }
}

TEST_CASE("rows are sorted by the name of a column, and by its title, in upper or lower case") {
  for (const view::SortName& name : view::sort_names()) CHECK(view::sort_column_typed(name.name) == name.column);
  for (const view::Column& column : view::columns(model::Group::kProcess, true)) {
    CHECK(view::column_titled(column.title) == &column);
    CHECK(view::sort_column_typed(column.title) == column.sort);
  }
  CHECK(view::sort_column_typed("felt") == view::SortColumn::kFelt);
  CHECK(view::sort_column_typed("Created") == view::SortColumn::kCreated);
  CHECK(view::sort_column_typed("q_drops") == view::SortColumn::kQueueDrops);
  CHECK(view::sort_column_typed("queue_drops") == view::SortColumn::kQueueDrops);
  CHECK(view::sort_column_typed("Q_DROPS") == view::SortColumn::kQueueDrops);
  CHECK(view::sort_column_typed("COMMAND") == view::SortColumn::kComm);
  CHECK_FALSE(view::sort_column_typed("UID"));  // no row is sorted by it
  CHECK_FALSE(view::sort_column_typed(""));
}

TEST_CASE("columns of a row that knows nothing are empty") {
  const model::Row nothing;
  for (const view::Column& column : view::columns(model::Group::kProcess, true)) {
    INFO(column.name);
    const view::Value value = column.value({}, nothing);
    const bool is_count = std::holds_alternative<std::uint64_t>(value) || std::holds_alternative<double>(value);
    CHECK((is_count || std::holds_alternative<std::monostate>(value)));
    if (column.text != nullptr) CHECK(column.text(nothing).empty());
  }
}
