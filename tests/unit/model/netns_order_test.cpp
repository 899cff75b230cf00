// SPDX-License-Identifier: Apache-2.0
#include "model/netns_order.hpp"

#include <string>

#include "support/catch.hpp"

using namespace twtrace;

namespace {

model::NetnsRow row(std::string name, std::uint64_t in_use, std::uint64_t created, bool gone = false) {
  model::NetnsRow row;
  row.name = std::move(name);
  row.in_use = in_use;
  row.limit = 100;
  row.counts.time_wait = created;
  row.gone = gone;
  return row;
}

std::string names(std::vector<model::NetnsRow> namespaces) {
  model::sort_fullest_first(namespaces);
  std::string names;
  for (const model::NetnsRow& netns : namespaces) names += netns.name;
  return names;
}

}  // namespace

TEST_CASE("the fullest namespace is first, then the busiest, and those that are gone are last") {
  CHECK(names({row("a", 1, 9), row("b", 90, 0), row("c", 1, 10), row("d", 99, 99, true)}) == "bcad");
  CHECK(names({row("d", 99, 99, true), row("e", 100, 99, true), row("a", 0, 0)}) == "aed");
}

TEST_CASE("namespaces of equal rank keep their order") {
  CHECK(names({row("a", 1, 9), row("b", 1, 9), row("c", 1, 9)}) == "abc");
  CHECK(names({row("a", 1, 9), row("b", 2, 9), row("c", 1, 9), row("d", 2, 9)}) == "bdac");
  CHECK(names({}).empty());
  model::NetnsRow unknown = row("u", 50, 0);
  unknown.limit.reset();
  CHECK(names({unknown, row("a", 0, 0), row("b", 1, 0)}) == "bua");
}
