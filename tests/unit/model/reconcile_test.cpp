// SPDX-License-Identifier: Apache-2.0
#include "model/reconcile.hpp"

#include <algorithm>
#include <cstdint>
#include <random>

#include "support/catch.hpp"

using twtrace::model::Reconciler;

namespace {

Reconciler started_at(std::uint64_t kernel_counter) {
  Reconciler reconciler;
  reconciler.set_start(kernel_counter);
  return reconciler;
}

void check(const Reconciler::CrossCheck& verdict, std::uint64_t kernel, std::uint64_t missed, bool reconciled) {
  CHECK(verdict.kernel == kernel);
  CHECK(verdict.missed == missed);
  CHECK(verdict.reconciled == reconciled);
}

}  // namespace

TEST_CASE("equal counts on a quiet system are reconciled") {
  Reconciler reconciler = started_at(1000);
  check(reconciler.observe(1000, 0, 1000), 0, 0, true);
  check(reconciler.observe(1017, 17, 1017), 17, 0, true);
}

TEST_CASE("the first start stands") {
  Reconciler reconciler;
  reconciler.set_start(10);
  reconciler.set_start(99);
  check(reconciler.observe(15, 5, 15), 5, 0, true);
}

TEST_CASE("a count anywhere inside the bracket is reconciled") {
  for (std::uint64_t ours = 10; ours <= 20; ++ours) {
    Reconciler reconciler = started_at(100);
    check(reconciler.observe(110, ours, 120), ours, 0, true);
  }
}

TEST_CASE("what a bracket proves missing is reported to the unit") {
  Reconciler reconciler = started_at(100);
  check(reconciler.observe(117, 12, 117), 17, 5, false);
  check(reconciler.observe(120, 15, 120), 20, 5, false);  // nothing new is missing
  check(reconciler.observe(130, 22, 130), 30, 8, false);  // three more
}

TEST_CASE("a wide bracket reports only what is missing for sure") {
  Reconciler reconciler = started_at(0);
  check(reconciler.observe(10, 4, 20), 10, 6, false);    // somewhere between 6 and 16 are missing
  check(reconciler.observe(20, 14, 20), 20, 6, false);   // it was 6
  check(reconciler.observe(20, 10, 20), 20, 10, false);  // it was 10
}

TEST_CASE("late counts do not stay missed") {
  Reconciler reconciler = started_at(0);
  check(reconciler.observe(10, 7, 10), 10, 3, false);  // the kernel counted, our program is about to
  check(reconciler.observe(10, 9, 10), 10, 1, false);
  check(reconciler.observe(10, 10, 10), 10, 0, true);
  check(reconciler.observe(25, 25, 25), 25, 0, true);
}

TEST_CASE("more counts than the kernel has are never called reconciled") {
  Reconciler reconciler = started_at(0);
  check(reconciler.observe(10, 13, 10), 10, 0, false);
  check(reconciler.observe(13, 13, 13), 13, 0, true);  // the kernel's counter was late
}

TEST_CASE("a counter below its start counts nothing") {
  Reconciler reconciler = started_at(50);
  check(reconciler.observe(40, 0, 45), 0, 0, true);
}

TEST_CASE("the start moves no further than the readings prove") {
  // Counting began between the readings 100 and 130, and 12 were counted. So it began at 118, if none was missed.
  Reconciler moved = started_at(100);
  moved.narrow_start(12, 130, 12);
  check(moved.observe(130, 12, 130), 12, 0, true);
  // We counted more than the kernel did since the first reading. So no start is possible.
  Reconciler ahead = started_at(100);
  ahead.narrow_start(9, 105, 9);
  check(ahead.observe(105, 9, 105), 5, 0, false);
  // We counted nothing. So the kernel counted its 30 before counting began.
  Reconciler idle = started_at(100);
  idle.narrow_start(0, 130, 0);
  check(idle.observe(130, 0, 130), 0, 0, true);
  // We counted more than the kernel's whole counter, and there was no first reading.
  Reconciler fresh;
  fresh.narrow_start(9, 5, 9);
  check(fresh.observe(7, 11, 7), 2, 0, false);
}

TEST_CASE("a start that is known as a range proves what every start in it proves") {
  // We had counted between 10 and 14 when the kernel's counter was 130. So the start is 116 to 120.
  Reconciler reconciler = started_at(100);
  reconciler.narrow_start(10, 130, 14);
  check(reconciler.observe(130, 14, 130), 14, 0, true);
  check(reconciler.observe(140, 20, 140), 20, 0, true);
  check(reconciler.observe(150, 28, 150), 30, 2, false);
  check(reconciler.observe(150, 35, 150), 34, 0, false);  // ours is ahead, wherever the start was
}

TEST_CASE("random histories: proven misses, never more than were lost, and exact once it is quiet") {
  std::mt19937_64 random(20260102);  // a fixed seed: the same histories in every run
  const auto up_to = [&](std::uint64_t most) { return std::uniform_int_distribution<std::uint64_t>(0, most)(random); };
  for (int history = 0; history < 500; ++history) {
    std::uint64_t kernel = up_to(1000);
    const std::uint64_t start = kernel;
    std::uint64_t ours = 0;
    std::uint64_t lost = 0;
    std::uint64_t reported = 0;
    Reconciler reconciler = started_at(start);
    // One event after the other. We miss some. We read the kernel's counter before and after ours.
    const auto happen = [&](std::uint64_t events) {
      const std::uint64_t unseen = up_to(9) == 0 ? std::min<std::uint64_t>(up_to(3), events) : 0;
      kernel += events;
      lost += unseen;
      ours += events - unseen;
    };
    for (int interval = 0; interval < 30; ++interval) {
      happen(up_to(50));
      const std::uint64_t before = kernel;
      happen(up_to(5));
      const std::uint64_t read = ours;
      const std::uint64_t lost_then = lost;
      happen(up_to(5));
      const auto verdict = reconciler.observe(before, read, kernel);
      REQUIRE(verdict.missed <= lost_then);
      REQUIRE(verdict.missed >= reported);  // nothing is late here, so it only grows
      REQUIRE(verdict.kernel == read + verdict.missed);
      REQUIRE(verdict.reconciled == (verdict.missed == 0));
      reported = verdict.missed;
    }
    const auto quiet = reconciler.observe(kernel, ours, kernel);
    REQUIRE(quiet.missed == lost);
    REQUIRE(quiet.kernel == kernel - start);
  }
}
