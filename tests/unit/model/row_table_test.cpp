// SPDX-License-Identifier: Apache-2.0
#include "model/row_table.hpp"

#include "support/catch.hpp"
#include "support/entries.hpp"

using namespace twtrace::model;
using namespace twtrace::test;

namespace {

constexpr Counters kSeven = {7};
constexpr Counters kEleven = {11};

std::size_t others(const RowTable& table) {
  std::size_t count = 0;
  table.for_each([&](const Entry&, RowKind kind) { count += kind == RowKind::kOther ? 1U : 0U; });
  return count;
}

}  // namespace

TEST_CASE("a slot is known by the time its row was first seen") {
  RowTable table(10);
  CHECK_FALSE(table.knows(3, 500));
  CHECK(table.at(3) == nullptr);
  table.add(3, 500, worker(812));
  CHECK(table.knows(3, 500));
  CHECK_FALSE(table.knows(3, 501));
  CHECK_FALSE(table.knows(2, 500));
  REQUIRE(table.at(3) != nullptr);
  CHECK(table.at(3)->identity == worker(812));
}

TEST_CASE("a slot that is used again keeps the counts of the row before") {
  RowTable table(10);
  table.add(3, 500, worker(812, "old"));
  table.set(3, kSeven, 5, true);
  SECTION("after it was retired") { table.retire(3); }
  SECTION("without having been retired") {}
  table.add(3, 900, worker(913, "new"));
  table.set(3, kEleven, 2, false);
  CHECK(table.knows(3, 900));
  CHECK(table.at(3)->identity.comm == "new");
  CHECK(table.at(3)->counts == kEleven);
  CHECK(table.size() == 2);
  CHECK(sums(table) == std::map<std::uint32_t, Counters>{{1, kSeven + kEleven}});
}

namespace {

/// A table and its next free slot. Its processes count seven and end.
struct Endings {
  explicit Endings(std::size_t max_rows) : table(max_rows) {}

  void end(std::uint32_t pid, const std::string& comm, std::uint32_t netns = 1) {
    Identity identity = worker(pid, comm);
    identity.netns = netns;
    ++slot;
    table.add(slot, slot, identity);
    table.set(slot, kSeven, 4, false);
    table.retire(slot);
    CHECK(table.at(slot) == nullptr);
  }

  RowTable table;
  std::uint32_t slot = 0;
};

}  // namespace

TEST_CASE("a process that has ended keeps its row") {
  Endings endings(10);
  endings.end(801, "a");
  endings.end(802, "a");
  const auto all = entries(endings.table);
  REQUIRE(all.size() == 2);
  CHECK(all[0].identity == worker(801, "a"));
  CHECK(all[0].counts == kSeven);
  CHECK(all[0].exited);
  CHECK(all[0].live == 0U);
  CHECK(all[1].identity.pid == 802U);
}

TEST_CASE("rows of one process that has ended become one") {
  Endings endings(10);
  endings.end(801, "a");
  endings.end(801, "a");
  const auto all = entries(endings.table);
  REQUIRE(all.size() == 1);
  CHECK(all[0].counts == Counters{14});
  CHECK(all[0].pids == 1);
}

TEST_CASE("beyond the bound those that differ by pid only become one") {
  Endings endings(2);
  for (const std::uint32_t pid : {801U, 802U, 803U, 804U}) endings.end(pid, "a");
  endings.end(900, "b");
  const auto all = entries(endings.table);
  REQUIRE(all.size() == 2);
  std::map<std::string, Entry> by_comm;
  for (const Entry& entry : all) by_comm.emplace(entry.identity.comm, entry);
  CHECK(by_comm.at("a").identity == folded(worker(1, "a")));
  CHECK(by_comm.at("a").counts == Counters{28});
  CHECK(by_comm.at("a").pids == 4);
  CHECK(by_comm.at("b").counts == kSeven);
}

TEST_CASE("a program keeps its name while there are single processes to fold, however many of another one end") {
  Endings endings(4);
  endings.end(801, "rare");
  endings.end(802, "rare");
  for (std::uint32_t pid = 901; pid < 1001; ++pid) endings.end(pid, "busy");
  CHECK(others(endings.table) == 0);
  std::map<std::string, Counters> by_comm;
  for (const Entry& entry : entries(endings.table)) by_comm[entry.identity.comm] += entry.counts;
  CHECK(by_comm.at("rare") == Counters{14});
  CHECK(by_comm.at("busy") == Counters{700});
  CHECK(endings.table.size() == 4);
}

TEST_CASE("beyond the bound programs merge into (other), per namespace") {
  Endings endings(1);
  endings.end(1, "a", 1);
  endings.end(2, "b", 1);
  endings.end(3, "a", 1);
  endings.end(4, "c", 2);
  endings.end(5, "d", 2);
  endings.end(6, "e", 3);
  std::vector<Entry> kept;
  std::map<std::uint32_t, Entry> other;
  endings.table.for_each([&](const Entry& entry, RowKind kind) {
    if (kind == RowKind::kOther) {
      other.emplace(entry.identity.netns, entry);
    } else {
      kept.push_back(entry);
    }
  });
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].identity.comm == "e");
  REQUIRE(other.size() == 2);
  CHECK(other.at(1).counts == Counters{21});
  CHECK(other.at(1).pids == 3);
  CHECK(other.at(2).counts == Counters{14});
  CHECK(other.at(2).pids == 2);
  CHECK(other.at(2).live == 0U);
  CHECK(other.at(2).exited);
  CHECK(endings.table.size() == 3);
}

TEST_CASE("an interval remembers what was counted before it, folded rows included") {
  RowTable table(1);
  table.add(1, 1, worker(1, "a"));
  table.set(1, kSeven, 0, false);
  table.begin_interval();
  table.set(1, kEleven, 0, true);
  CHECK(table.at(1)->previous == kSeven);
  table.retire(1);
  CHECK(entries(table).at(0).previous == kSeven);
  CHECK(entries(table).at(0).counts == kEleven);
  table.begin_interval();
  CHECK(entries(table).at(0).previous == kEleven);
  table.add(1, 2, worker(2, "b"));
  table.retire(1);  // "a" goes to (other)
  CHECK(others(table) == 1);
  table.begin_interval();
  for (const Entry& entry : entries(table)) CHECK(entry.previous == entry.counts);
}

TEST_CASE("numbers that are read between two samples are part of the next one") {
  RowTable table(10);
  table.add(1, 1, worker(801));
  table.set(1, kSeven, 0, false);
  table.begin_interval();
  table.set(1, kSeven, 0, false);
  table.refresh(1, kEleven, 0, true);
  SECTION("of a row that is still there") {
    table.begin_interval();
    table.set(1, kEleven, 0, true);
  }
  SECTION("of a row that has gone meanwhile") {
    table.retire(1);
    table.begin_interval();
  }
  REQUIRE(entries(table).size() == 1);
  CHECK(entries(table)[0].previous == kSeven);
  CHECK(entries(table)[0].counts == kEleven);
  table.begin_interval();
  CHECK(entries(table)[0].previous == kEleven);
}

TEST_CASE("rows that merge in the middle of an interval keep the rate of both") {
  RowTable table(10);
  for (const std::uint32_t slot : {1U, 2U}) {
    table.add(slot, slot, worker(801));
    table.set(slot, kSeven, 0, true);
  }
  table.begin_interval();
  table.set(1, kEleven, 0, true);
  table.retire(1);
  table.retire(2);
  REQUIRE(entries(table).size() == 1);
  CHECK(entries(table)[0].counts == kSeven + kEleven);
  CHECK(entries(table)[0].previous == kSeven + kSeven);
}

TEST_CASE("random sequences: sums never change, and memory stays bounded") {
  constexpr std::uint32_t kSlots = 12;
  const std::size_t max_rows = GENERATE(0U, 1U, 5U, 100000U);
  Random random(max_rows + 1);
  RowTable table(max_rows);
  std::map<std::uint32_t, Counters> expected;  // everything that was ever added, by namespace
  std::map<std::uint32_t, Counters> in_slot;   // what was added to the present row of the slot
  std::map<std::uint32_t, std::uint32_t> netns_of;
  for (std::uint64_t step = 1; step <= 4000; ++step) {
    const auto slot = static_cast<std::uint32_t>(1 + random.up_to(kSlots - 1));
    const std::uint64_t action = random.up_to(9);
    if (action == 0) {
      table.begin_interval();
    } else if (table.at(slot) == nullptr || action == 1) {
      const Identity identity = random_identity(random);
      table.add(slot, step, identity);
      netns_of[slot] = identity.netns;
      in_slot[slot] = {};
    } else if (action <= 3) {
      table.retire(slot);
    } else {
      const Counters more = random_counts(random);
      expected[netns_of[slot]] += more;
      in_slot[slot] += more;
      table.set(slot, in_slot[slot], random.up_to(3), false);
      REQUIRE(table.at(slot)->counts == in_slot[slot]);
    }
    REQUIRE(table.size() <= kSlots + max_rows + 3);
    REQUIRE(others(table) <= 3);
    REQUIRE(entries(table).size() == table.size());
    auto actual = sums(table);
    std::erase_if(actual, [](const auto& entry) { return entry.second == Counters{}; });
    auto wanted = expected;
    std::erase_if(wanted, [](const auto& entry) { return entry.second == Counters{}; });
    REQUIRE(actual == wanted);
  }
  CHECK((others(table) > 0) == (max_rows < 100000));
}

TEST_CASE("rows of forgotten namespaces move, and those of the same program become one") {
  Endings endings(2);
  endings.end(1, "a", 1);
  endings.end(2, "b", 1);
  endings.end(3, "a", 2);
  endings.end(4, "a", 3);  // meanwhile "a" of 1 and "b" of 1 go to (other)
  endings.table.move({1, 2}, 9);
  std::map<std::pair<std::uint32_t, bool>, Entry> all;
  endings.table.for_each([&](const Entry& entry, RowKind kind) {
    CHECK(all.emplace(std::pair(entry.identity.netns, kind == RowKind::kOther), entry).second);
  });
  CHECK(sums(endings.table) == std::map<std::uint32_t, Counters>{{3, kSeven}, {9, Counters{21}}});
  Identity a = folded(worker(3, "a"));
  a.netns = 9;
  CHECK(all.at({9, false}).identity == a);
  CHECK(all.at({9, false}).counts == kSeven);
  CHECK(all.at({9, true}).counts == Counters{14});
  CHECK(all.at({3, false}).counts == kSeven);
}

TEST_CASE("a row whose namespace is gone has not exited if its process lives") {
  RowTable table(10);
  table.add(3, 500, worker(812));
  table.set(3, kSeven, 0, false);
  table.retire(3, false);
  table.for_each([](const Entry& entry, RowKind) { CHECK_FALSE(entry.exited); });
  CHECK(table.at(3) == nullptr);
}

TEST_CASE("the rows of one process on many ports become one when they are retired") {
  RowTable table(10);
  for (const std::uint32_t slot : {1U, 2U, 3U}) {
    Identity who = worker(812);
    who.port = static_cast<std::uint16_t>(6000 + slot);
    table.add(slot, slot, who);
    table.set(slot, kSeven, 0, true);
    table.share_port(slot, slot == 3 ? 40 : 1);
  }
  CHECK(table.size() == 3);
  for (const std::uint32_t slot : {1U, 2U, 3U}) table.retire(slot);
  REQUIRE(table.size() == 1);
  table.for_each([](const Entry& entry, RowKind) {
    CHECK(entry.identity.port == 0);
    CHECK(entry.identity.pid == 812U);
    CHECK(entry.counts == Counters{21});
    CHECK(entry.ports == 42U);
    CHECK(entry.pids == 1);
  });
}
