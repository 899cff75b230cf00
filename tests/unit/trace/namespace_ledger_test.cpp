// SPDX-License-Identifier: Apache-2.0
#include "trace/namespace_ledger.hpp"

#include "support/catch.hpp"

using namespace twtrace;
using trace::NamespaceLedger;
using trace::OurCounts;
using Reading = NamespaceLedger::Reading;

namespace {

/// Counters whose TW + TWKilled is `created`.
Reading reading(std::uint64_t created, std::uint64_t overflow, std::uint64_t in_use) {
  Reading result;
  result.ext.tw_killed = created / 3;
  result.ext.tw = created - created / 3;
  result.ext.time_wait_overflow = overflow;
  result.in_use = in_use;
  result.limit = 1000;
  result.local_ports = {32768, 60999};
  return result;
}

model::Counters counters(std::uint64_t created, std::uint64_t refused = 0, std::uint64_t removed = 0) {
  model::Counters result;
  result.time_wait = created;
  result.overflow_time_wait = refused;
  result.expired = removed;
  return result;
}

/// Our counts, all of them in rows.
OurCounts ours(const model::Counters& counts) {
  OurCounts result;
  result.total = result.counts = counts;
  return result;
}

/// One sample: the kernel is read before and after ours.
void sample(NamespaceLedger& ledger, const Reading& before, const OurCounts& of_ours, const Reading& after) {
  ledger.take_before(before);
  ledger.take_after(after, of_ours.total);
  ledger.observe(of_ours);
}

NamespaceLedger started_at(const Reading& start, bool counts_at_creation = true) {
  NamespaceLedger ledger(counts_at_creation);
  ledger.start_at(start);
  return ledger;
}

void check_created(const model::NetnsRow& row, std::uint64_t kernel, std::uint64_t missed, bool reconciled) {
  CHECK(row.kernel.created == kernel);
  CHECK(row.missed.created == missed);
  CHECK(row.reconciled == reconciled);
}

}  // namespace

TEST_CASE("counts since the start are compared, whatever the kernel had counted before") {
  NamespaceLedger ledger = started_at(reading(100, 50, 10));
  sample(ledger, reading(117, 53, 27), ours(counters(17, 3)), reading(117, 53, 27));
  const model::NetnsRow row = ledger.row(1);
  check_created(row, 17, 0, true);
  CHECK(row.kernel.overflow == 3);
  CHECK(row.missed.overflow == 0);
  CHECK(row.in_use == 27);
  CHECK(row.limit == 1000);
  CHECK(row.local_ports == model::PortRange{32768, 60999});
}

TEST_CASE("a namespace that is younger than the trace started at 0") {
  NamespaceLedger ledger(true);
  ledger.start_at_zero();
  sample(ledger, reading(7, 0, 7), ours(counters(5)), reading(7, 0, 7));
  check_created(ledger.row(1), 7, 2, false);
}

TEST_CASE("without a start nothing is compared") {
  NamespaceLedger ledger(true);
  sample(ledger, reading(117, 53, 27), ours(counters(17)), reading(117, 53, 27));
  const model::NetnsRow row = ledger.row(1);
  CHECK_FALSE(row.kernel.created);
  CHECK_FALSE(row.kernel.listen_drops);
  CHECK_FALSE(row.reconciled);
  CHECK(row.in_use == 27);
  CHECK(row.counts.created() == 17);
}

TEST_CASE("a start that could not be read before is what is read right after counting began") {
  NamespaceLedger ledger(true);
  Reading start = reading(100, 0, 40);
  start.ext.listen_drops = 9;
  ledger.narrow_start(counters(0), start, counters(0));
  Reading now = reading(104, 0, 44);
  now.ext.listen_drops = 11;
  sample(ledger, now, ours(counters(4)), now);
  const model::NetnsRow row = ledger.row(1);
  CHECK(row.reconciled == true);
  CHECK(row.missed.created == 0);
  CHECK(row.kernel.listen_drops == 2);
}

TEST_CASE("resets sent are compared with the kernel's, where the programs see them and it could be read") {
  const auto reading_of = [](std::optional<std::uint64_t> out_resets) {
    Reading result = reading(0, 0, 0);
    result.out_resets = out_resets;
    return result;
  };
  OurCounts seen;
  seen.sees.resets_sent = true;
  seen.counts.peer_resets = seen.total.peer_resets = 9;
  seen.counts.resets_late = seen.total.resets_late = 2;
  NamespaceLedger ledger = started_at(reading_of(100));
  sample(ledger, reading_of(114), seen, reading_of(114));
  CHECK(ledger.row(1).kernel.out_resets == 14);
  CHECK(ledger.row(1).missed.resets_sent == 3);
  CHECK(ledger.row(1).reconciled == true);  // that is about buckets

  NamespaceLedger young(true);
  young.start_at_zero();
  sample(young, reading_of(11), seen, reading_of(11));
  CHECK(young.row(1).missed.resets_sent == 0);
  NamespaceLedger other(true);
  other.take_over(ledger);
  CHECK(other.row(1).missed.resets_sent == 3);

  NamespaceLedger late(true);
  late.narrow_start({}, reading_of(50), {});
  sample(late, reading_of(61), seen, reading_of(61));
  CHECK(late.row(1).missed.resets_sent == 0);

  NamespaceLedger unread = started_at(reading_of({}));
  sample(unread, reading_of({}), seen, reading_of({}));
  CHECK_FALSE(unread.row(1).kernel.out_resets);
  CHECK_FALSE(unread.row(1).missed.resets_sent);

  NamespaceLedger unseen = started_at(reading_of(100));
  sample(unseen, reading_of(114), {}, reading_of(114));
  CHECK_FALSE(unseen.row(1).missed.resets_sent);
}

TEST_CASE("what listening sockets dropped is compared with ListenDrops, where their counters can be read") {
  const auto reading_of = [](std::uint64_t listen_drops) {
    Reading result = reading(0, 0, 0);
    result.ext.listen_drops = listen_drops;
    return result;
  };
  OurCounts seen;
  seen.sees.queue_drops = true;
  seen.counts.queue_drops = seen.total.queue_drops = 11;
  NamespaceLedger ledger = started_at(reading_of(100));
  sample(ledger, reading_of(114), seen, reading_of(114));
  CHECK(ledger.row(1).kernel.listen_drops == 14);
  CHECK(ledger.row(1).missed.queue_drops == 3);
  CHECK(ledger.row(1).reconciled == true);  // that is about buckets
  NamespaceLedger other(true);
  other.take_over(ledger);
  CHECK(other.row(1).missed.queue_drops == 3);

  // The sockets' counters were read at some moment between the start and the second reading.
  NamespaceLedger narrowed = started_at(reading_of(100));
  narrowed.narrow_start({}, reading_of(103), {});
  sample(narrowed, reading_of(114), seen, reading_of(114));
  CHECK(narrowed.row(1).missed.queue_drops == 0);
  CHECK(narrowed.row(1).kernel.listen_drops == 11);

  NamespaceLedger unseen = started_at(reading_of(100));
  sample(unseen, reading_of(114), {}, reading_of(114));
  CHECK_FALSE(unseen.row(1).missed.queue_drops);
  CHECK(unseen.row(1).kernel.listen_drops == 14);
}

TEST_CASE("what happened between the start and the beginning of counting is not missed") {
  NamespaceLedger ledger = started_at(reading(100, 0, 0));
  ledger.narrow_start(counters(0), reading(130, 0, 30), counters(0));
  sample(ledger, reading(137, 0, 37), ours(counters(7)), reading(137, 0, 37));
  check_created(ledger.row(1), 7, 0, true);
}

TEST_CASE("the verdict stands while ours are those that it is of, and is withdrawn when they are not") {
  NamespaceLedger ledger = started_at(reading(0, 0, 0));
  sample(ledger, reading(5, 0, 5), ours(counters(5)), reading(5, 0, 5));
  CHECK(ledger.row(1).reconciled == true);

  ledger.carry_over();
  ledger.observe(ours(counters(5)));  // nothing changed, so nothing was read
  check_created(ledger.row(1), 5, 0, true);
  CHECK(ledger.is_read_at(counters(5)));

  ledger.carry_over();
  OurCounts moved = ours(counters(6));
  moved.buckets_seen = 4;
  ledger.observe(moved);
  CHECK_FALSE(ledger.row(1).reconciled);
  CHECK_FALSE(ledger.row(1).kernel.created);
  CHECK(ledger.row(1).in_use == 4);  // the reading is from another moment
}

TEST_CASE("the last reading stands for the one before ours as long as they have not moved") {
  NamespaceLedger ledger = started_at(reading(0, 0, 0));
  sample(ledger, reading(5, 0, 5), ours(counters(5)), reading(5, 0, 5));
  ledger.carry_over();
  ledger.take_after(reading(9, 0, 9), counters(7));
  ledger.observe(ours(counters(7)));
  check_created(ledger.row(1), 7, 0, true);  // between 5 and 9
}

TEST_CASE("a namespace that is gone keeps its last verdict, and cannot be compared any more") {
  NamespaceLedger ledger = started_at(reading(0, 0, 0));
  sample(ledger, reading(5, 0, 5), ours(counters(5)), reading(5, 0, 5));
  ledger.carry_over();
  ledger.take_after(std::nullopt, counters(5));
  ledger.observe(ours(counters(5)));
  check_created(ledger.row(1), 5, 0, true);
  CHECK_FALSE(ledger.row(1).in_use);

  ledger.observe(ours(counters(6)));
  CHECK_FALSE(ledger.row(1).reconciled);
}

TEST_CASE("a counter below its last reading is another namespace's") {
  NamespaceLedger ledger = started_at(reading(90, 8, 0));
  CHECK_FALSE(ledger.is_of_another(reading(90, 8, 0)));
  CHECK_FALSE(ledger.is_of_another(reading(99, 9, 0)));
  CHECK(ledger.is_of_another(reading(99, 7, 0)));
  ledger.take_before(reading(99, 9, 0));
  CHECK(ledger.is_of_another(reading(90, 9, 0)));
  ledger.take_after(reading(120, 9, 0), counters(1));
  CHECK(ledger.is_of_another(reading(99, 9, 0)));
}

TEST_CASE("older buckets are those of the start less those that were seen to go") {
  NamespaceLedger ledger = started_at(reading(100, 0, 10));
  OurCounts observed = ours(counters(3, 0, 4));
  observed.unattributed = counters(0, 0, 4);
  observed.sees.removal = true;
  sample(ledger, reading(103, 0, 9), observed, reading(103, 0, 9));
  CHECK(ledger.row(1).pre_existing == 6);
}

TEST_CASE("without a hook at the end of a bucket the last scan says how many older ones there are") {
  NamespaceLedger ledger = started_at(reading(100, 0, 10));
  OurCounts observed = ours(counters(3));
  observed.older_buckets = 8;
  sample(ledger, reading(103, 0, 11), observed, reading(103, 0, 11));
  CHECK_FALSE(ledger.row(1).pre_existing);
  observed.older_buckets_known = true;
  ledger.observe(observed);
  CHECK(ledger.row(1).pre_existing == 8);
}

TEST_CASE("where the kernel counts at the end of a bucket the gauge is compared") {
  NamespaceLedger ledger = started_at(reading(100, 0, 10), false);
  OurCounts observed = ours(counters(20, 0, 5));
  observed.sees.removal = true;
  sample(ledger, reading(100, 0, 24), observed, reading(100, 0, 26));  // 10 + 20 - 5
  CHECK(ledger.row(1).reconciled == true);
  CHECK_FALSE(ledger.row(1).kernel.created);
  sample(ledger, reading(100, 0, 26), observed, reading(100, 0, 27));
  CHECK(ledger.row(1).reconciled == false);
}

TEST_CASE("rates are of the last interval") {
  NamespaceLedger ledger = started_at(reading(0, 0, 0));
  sample(ledger, reading(10, 2, 10), ours(counters(10, 2)), reading(10, 2, 10));
  sample(ledger, reading(40, 8, 40), ours(counters(40, 8)), reading(40, 8, 40));
  CHECK(ledger.row(2).created_per_s == 15);
  CHECK(ledger.row(2).overflow_per_s == 3);
}

TEST_CASE("what a slot counted that was given back stays") {
  NamespaceLedger ledger = started_at(reading(0, 0, 0));
  ledger.keep(counters(7, 3), counters(2));
  ledger.keep(counters(4), counters(1));
  CHECK(ledger.kept_total() == counters(11, 3));
  CHECK(ledger.kept_unattributed() == counters(3));
}

TEST_CASE("counts of a forgotten namespace move, and are no rate of the one that takes them over") {
  NamespaceLedger gone = started_at(reading(0, 0, 0));
  OurCounts of_gone = ours(counters(7, 3));
  of_gone.unattributed = counters(2);
  sample(gone, reading(9, 4, 7), of_gone, reading(9, 4, 7));
  gone.keep(of_gone.total, of_gone.unattributed);
  REQUIRE(gone.row(1).missed.created == 2U);
  REQUIRE(gone.row(1).missed.overflow == 1U);
  sample(gone, reading(9, 4, 7), of_gone, reading(9, 4, 7));

  NamespaceLedger other(true);
  other.observe(ours(counters(5)));
  other.observe(ours(counters(5)));
  other.take_over(gone);
  const model::NetnsRow row = other.row(1);
  CHECK(row.counts == counters(12, 3));
  CHECK(row.moved == counters(7, 3));
  CHECK(row.unattributed == counters(2));
  CHECK(row.moved_unattributed == counters(2));
  CHECK(row.missed.created == 2U);
  CHECK(row.missed.overflow == 1U);
  CHECK(row.created_per_s == 0);
  CHECK(row.overflow_per_s == 0);
  CHECK(other.kept_unattributed() == counters(2));
}
