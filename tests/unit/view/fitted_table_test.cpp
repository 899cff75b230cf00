// SPDX-License-Identifier: Apache-2.0
#include "view/fitted_table.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace twtrace;
using view::Dropping;
using view::FittedColumn;
using Titles = std::vector<std::string_view>;

namespace {

FittedColumn column(std::string_view title, int priority, const std::string& cell, std::size_t min_width = 0) {
  FittedColumn made;
  made.title = title;
  made.priority = priority;
  made.min_width = min_width;
  made.cells = {cell, cell};
  return made;
}

/// Those that have room, in order.
Titles shown(std::vector<FittedColumn> table, std::size_t width, Dropping dropping = Dropping::kByPriority) {
  view::fit(table, width, 2, dropping);
  Titles titles;
  std::size_t used = 2;
  for (const FittedColumn& filled : table) {
    titles.push_back(filled.title);
    used += 1 + filled.width;
  }
  if (width >= 20) CHECK(used <= width);
  return titles;
}

}  // namespace

TEST_CASE("a column that fits beside those that stay is not dropped") {
  // 9 for what stays, 21 for the wide one, 5 and 6 for the others.
  const std::vector<FittedColumn> table = {column("NAME", 0, "abcdef"), column("WIDE", 30, std::string(20, 'w')),
                                           column("ROLE", 70, "serv"), column("PORT", 71, "65535")};
  CHECK(shown(table, 41) == Titles{"NAME", "WIDE", "ROLE", "PORT"});
  CHECK(shown(table, 40) == Titles{"NAME", "WIDE", "ROLE"});
  CHECK(shown(table, 34) == Titles{"NAME", "WIDE"});
  CHECK(shown(table, 29) == Titles{"NAME", "ROLE", "PORT"});  // the wide one has no room
  CHECK(shown(table, 20) == Titles{"NAME", "ROLE", "PORT"});
  CHECK(shown(table, 19) == Titles{"NAME", "ROLE"});
  CHECK(shown(table, 5) == Titles{"NAME"});
  CHECK(shown(table, 0) == Titles{"NAME", "WIDE", "ROLE", "PORT"});
}

TEST_CASE("of columns that do not all fit, the more important ones come back first") {
  const std::vector<FittedColumn> table = {column("NAME", 0, "abcdef"), column("WIDE", 10, std::string(30, 'w')),
                                           column("FIRST", 20, "12345"), column("SECOND", 30, "123456")};
  CHECK(shown(table, 16) == Titles{"NAME", "FIRST"});
  CHECK(shown(table, 15) == Titles{"NAME", "FIRST"});
  CHECK(shown(table, 22) == Titles{"NAME", "FIRST", "SECOND"});
  CHECK(shown(table, 21) == Titles{"NAME", "FIRST"});
}

TEST_CASE("a column without a value goes first, but stays where there is room") {
  const std::vector<FittedColumn> table = {column("NAME", 0, "abcdef"), column("PORTS TAKEN", 5, "-"),
                                           column("ROLE", 70, "server")};
  CHECK(shown(table, 28) == Titles{"NAME", "PORTS TAKEN", "ROLE"});
  CHECK(shown(table, 27) == Titles{"NAME", "ROLE"});
  std::vector<FittedColumn> one_value = table;
  one_value[1].cells[1] = "7";
  CHECK(shown(one_value, 27) == Titles{"NAME", "PORTS TAKEN"});
  std::vector<FittedColumn> no_rows = table;
  for (FittedColumn& each : no_rows) each.cells.clear();
  CHECK(shown(no_rows, 20) == Titles{"NAME", "PORTS TAKEN"});
}

TEST_CASE("no text is cut for a column that comes back") {
  const std::vector<FittedColumn> table = {column("NAME", 0, "a long name", 4),
                                           column("WIDE", 10, std::string(30, 'w')), column("PORT", 20, "65535")};
  CHECK(shown(table, 20) == Titles{"NAME", "PORT"});
  CHECK(shown(table, 19) == Titles{"NAME"});
  CHECK(shown(table, 44) == Titles{"NAME", "WIDE", "PORT"});
}

TEST_CASE("no text is cut for a spare column") {
  const std::vector<FittedColumn> table = {column("NAME", 0, "a long name", 4), column("RATE", 10, "1234"),
                                           column("TABLE", view::kSpare + 1, "100%"),
                                           column("NETNS", view::kSpare, std::string(10, 'n'), 5)};
  CHECK(shown(table, 36) == Titles{"NAME", "RATE", "TABLE", "NETNS"});
  CHECK(shown(table, 35) == Titles{"NAME", "RATE", "NETNS"});
  CHECK(shown(table, 29) == Titles{"NAME", "RATE", "TABLE"});
  CHECK(shown(table, 24) == Titles{"NAME", "RATE"});
  CHECK(shown(table, 12) == Titles{"NAME", "RATE"});
}

TEST_CASE("from the right, columns go one after the other") {
  const std::vector<FittedColumn> table = {column("FIRST", 1, "-"), column("NAME", 0, "abcdef"),
                                           column("WIDE", 1, std::string(20, 'w')), column("PORT", 1, "65535")};
  CHECK(shown(table, 42, Dropping::kFromRight) == Titles{"FIRST", "NAME", "WIDE", "PORT"});
  CHECK(shown(table, 41, Dropping::kFromRight) == Titles{"FIRST", "NAME", "WIDE"});
  CHECK(shown(table, 35, Dropping::kFromRight) == Titles{"FIRST", "NAME"});  // though PORT would fit
  CHECK(shown(table, 10, Dropping::kFromRight) == Titles{"NAME"});
}
