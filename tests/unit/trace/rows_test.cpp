// SPDX-License-Identifier: Apache-2.0
#include "trace/rows.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace twtrace;
using namespace twtrace::trace;

namespace {

struct FakeScan final : LiveScan {
  std::map<std::uint32_t, std::uint64_t> found;
  bool any = true;
  std::uint64_t completed = 0;

  std::optional<std::uint64_t> live(std::uint32_t slot) const override {
    if (!any) return std::nullopt;
    const auto at = found.find(slot);
    return at == found.end() ? 0 : at->second;
  }
  std::uint64_t begun() const override { return completed; }
  std::uint64_t passed_since(std::uint64_t begun) const override { return completed - begun; }
};

/// Imitates the kernel side: rows in memory.
struct Kernel {
  std::vector<tw_row> slots = std::vector<tw_row>(8);
  std::set<std::uint32_t> ended;  ///< tgids
  std::set<std::uint32_t> gone;   ///< namespace slots
  std::uint64_t exits = 0;
  int asked = 0;                     ///< how often is_alive was called
  bool lets_go = true;               ///< whether a row can be unlinked
  std::set<std::uint32_t> unlinked;  ///< row slots
  base::Service service;
  Rows rows{100};

  tw_row& publish(std::uint32_t slot, std::uint32_t tgid, std::uint64_t first_ns = 5) {
    tw_row& row = slots[slot];
    row = tw_row{};
    row.key.tgid = tgid;
    row.key.start_ns = 1000ULL * tgid;
    row.key.netns = 2;
    row.key.cgroup_id = 7;
    row.key.role = TW_ROLE_CLIENT;
    row.key.attribution = TW_ATTRIBUTION_CLOSER;
    row.key.family = TW_FAMILY_IPV4;
    row.key.port = 6379;
    row.first_ns = first_ns;
    row.in_use = 1;
    return row;
  }
  Rows::Names names() {
    service.name = "worker.service";
    return {
        [](std::uint32_t slot) { return 50 + slot; }, [this](std::uint64_t) -> const base::Service& { return service; },
        [](const tw_row& row) { return row.many == 0 ? std::nullopt : std::optional<std::uint32_t>(row.many * 100U); }};
  }
  Rows::Facts facts(const LiveScan* scan) {
    return {names(),
            {exits,
             [this](const tw_row_key& key) {
               ++asked;
               return ended.count(key.tgid) == 0;
             }},
            scan};
  }
  void sample(const LiveScan* scan = nullptr) {
    rows.begin_interval();
    rows.read(slots, facts(scan));
  }
  void end(std::uint32_t tgid) {
    ended.insert(tgid);
    ++exits;
  }
  std::vector<std::uint32_t> retire(const LiveScan* scan = nullptr) {
    return rows.retire(slots, scan, [this](std::uint32_t netns) { return gone.contains(netns); },
                       {[this](std::uint32_t slot) {
                          if (lets_go) unlinked.insert(slot);
                          return lets_go;
                        },
                        [this](std::uint32_t slot) {
                          REQUIRE(unlinked.erase(slot) == 1);
                          slots[slot] = tw_row{};
                        }});
  }
  /// Looks at the rows and gives back what it can, as many times as a quiet row needs.
  std::vector<std::uint32_t> settle(const LiveScan* scan = nullptr) {
    std::vector<std::uint32_t> freed;
    for (int look = 0; look < 3 && freed.empty(); ++look) {
      rows.look(slots, facts(scan));
      freed = retire(scan);
    }
    return freed;
  }
};

}  // namespace

TEST_CASE("a published row has a name, its counts, and what is left of its buckets") {
  Kernel kernel;
  tw_row& row = kernel.publish(3, 812);
  row.counts.time_wait = 7;
  row.counts.fin_wait2 = 4;
  row.counts.expired = 2;
  kernel.sample();
  const model::Entry* entry = kernel.rows.table().at(3);
  REQUIRE(entry != nullptr);
  CHECK(entry->identity.pid == 812U);
  CHECK(entry->identity.netns == 52);
  CHECK(entry->identity.service.name == "worker.service");
  CHECK(entry->counts.created() == 11);
  CHECK(entry->live == 9U);
  CHECK_FALSE(entry->exited);
  CHECK(kernel.rows.table().at(4) == nullptr);
  const auto counts = kernel.rows.counts_by_netns();
  REQUIRE(counts.size() == 1);
  CHECK(counts.at(52).created() == 11);
}

TEST_CASE("where the end of buckets is not seen, scans say how many are left") {
  Kernel kernel;
  kernel.publish(3, 812).counts.time_wait = 7;
  FakeScan scan;
  scan.any = false;
  kernel.sample(&scan);
  CHECK_FALSE(kernel.rows.table().at(3)->live);
  scan.any = true;
  scan.found[3] = 5;
  kernel.sample(&scan);
  CHECK(kernel.rows.table().at(3)->live == 5U);
}

TEST_CASE("a slot that the kernel side gave to another owner is another row") {
  Kernel kernel;
  kernel.publish(3, 812).counts.time_wait = 7;
  kernel.sample();
  kernel.publish(3, 900, 6).counts.time_wait = 1;
  kernel.sample();
  CHECK(kernel.rows.table().at(3)->identity.pid == 900U);
  CHECK(kernel.rows.counts_by_netns().at(52).created() == 8);
}

TEST_CASE("the row of an ended process is given back once nothing can count into it") {
  Kernel kernel;
  tw_row& row = kernel.publish(3, 812);
  row.counts.time_wait = 7;
  row.counts.expired = 7;
  CHECK(kernel.settle().empty());  // the process lives
  kernel.end(812);

  row.pending = 1;
  CHECK(kernel.settle().empty());  // a socket waits for its end
  row.pending = 0;
  row.counts.fin_wait2 = 1;
  CHECK(kernel.settle().empty());  // a bucket is left
  CHECK(kernel.unlinked.empty());
  row.counts.expired = 8;
  kernel.lets_go = false;
  CHECK(kernel.settle().empty());  // the kernel side holds the key
  kernel.lets_go = true;
  CHECK(kernel.settle() == std::vector<std::uint32_t>{3});
  CHECK(kernel.rows.table().at(3) == nullptr);
  CHECK(kernel.rows.counts_by_netns().at(52).created() == 8);
}

TEST_CASE("what a process closes on its way out counts, though its row was about to be given back") {
  Kernel kernel;
  tw_row& row = kernel.publish(3, 812);
  kernel.end(812);
  kernel.rows.look(kernel.slots, kernel.facts(nullptr));
  CHECK(kernel.retire().empty());
  CHECK(kernel.unlinked == std::set<std::uint32_t>{3});
  row.counts.time_wait = 1;  // a program that had looked up the row before counts late
  kernel.rows.look(kernel.slots, kernel.facts(nullptr));
  CHECK(kernel.retire().empty());
  row.counts.expired = 1;
  CHECK(kernel.settle() == std::vector<std::uint32_t>{3});
  CHECK(kernel.rows.counts_by_netns().at(52).created() == 1);
}

TEST_CASE("a process is asked for again only after a process has ended") {
  Kernel kernel;
  kernel.publish(3, 812);
  kernel.sample();
  kernel.sample();
  CHECK(kernel.asked == 1);
  kernel.end(900);
  kernel.sample();
  CHECK(kernel.asked == 2);
  CHECK_FALSE(kernel.rows.table().at(3)->exited);
  kernel.end(812);
  kernel.sample();
  CHECK(kernel.rows.table().at(3)->exited);
  kernel.end(901);
  kernel.sample();
  CHECK(kernel.asked == 3);  // nobody asks again for a process that has ended
}

TEST_CASE("a row that comes and goes between two samples is part of the next one") {
  Kernel kernel;
  kernel.sample();
  tw_row& row = kernel.publish(3, 812);
  row.counts.time_wait = 7;
  row.counts.expired = 7;
  kernel.end(812);
  CHECK(kernel.settle() == std::vector<std::uint32_t>{3});
  kernel.sample();
  std::vector<model::Entry> entries;
  kernel.rows.table().for_each([&](const model::Entry& entry, model::RowKind) { entries.push_back(entry); });
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].counts.created() == 7);
  CHECK(entries[0].previous.created() == 0);
  CHECK(entries[0].exited);
}

TEST_CASE("with scans, two must pass without a bucket before a row is given back") {
  Kernel kernel;
  kernel.publish(3, 812).counts.time_wait = 7;
  kernel.end(812);
  FakeScan scan;
  scan.found[3] = 1;
  CHECK(kernel.settle(&scan).empty());
  scan.found.clear();
  scan.completed = 5;
  CHECK(kernel.settle(&scan).empty());
  scan.completed = 6;
  CHECK(kernel.settle(&scan).empty());
  scan.completed = 7;
  CHECK(kernel.settle(&scan) == std::vector<std::uint32_t>{3});
}

TEST_CASE("a row that stands for no process is never given back") {
  Kernel kernel;
  tw_row& row = kernel.publish(3, 0);
  row.key.attribution = TW_ATTRIBUTION_CGROUP;
  kernel.end(0);
  CHECK(kernel.settle().empty());
  CHECK(kernel.asked == 0);
  CHECK_FALSE(kernel.rows.table().at(3)->identity.pid);
}

TEST_CASE("a row whose namespace is gone is given back when it is idle, though its process lives") {
  Kernel kernel;
  tw_row& row = kernel.publish(3, 812);
  row.counts.time_wait = 7;
  row.counts.purged = 6;
  CHECK(kernel.settle().empty());
  kernel.gone.insert(2);
  CHECK(kernel.settle().empty());  // a bucket is left
  row.counts.purged = 7;
  CHECK(kernel.settle() == std::vector<std::uint32_t>{3});
  CHECK(kernel.rows.counts_by_netns().at(52).created() == 7);
  kernel.rows.table().for_each([](const model::Entry& entry, model::RowKind) { CHECK_FALSE(entry.exited); });
}

TEST_CASE("the rows of an owner with many ports are one row without a port, which knows how many they are") {
  Kernel kernel;
  for (const std::uint32_t slot : {2U, 3U}) {
    tw_row& row = kernel.publish(slot, 812);
    row.key.port = static_cast<std::uint16_t>(6000 + slot);
    row.counts.time_wait = 7;
  }
  kernel.publish(4, 913).counts.time_wait = 1;  // another process
  kernel.sample();
  CHECK(kernel.rows.table().at(2)->identity.port == 6002);
  tw_row& many = kernel.publish(5, 812);
  many.key.port = TW_PORT_MANY;
  many.many = 3;
  many.counts.time_wait = 300;
  kernel.sample();
  CHECK(kernel.rows.table().at(2)->identity == kernel.rows.table().at(5)->identity);
  CHECK(kernel.rows.table().at(3)->identity == kernel.rows.table().at(5)->identity);
  CHECK(kernel.rows.table().at(5)->identity.port == 0);
  CHECK(kernel.rows.table().at(4)->identity.port == 6379);
  CHECK(kernel.rows.table().at(2)->ports == 1U);
  CHECK(kernel.rows.table().at(5)->ports == 300U);
  many.many = 0;
  kernel.sample();
  CHECK_FALSE(kernel.rows.table().at(5)->ports);
}
