// SPDX-License-Identifier: Apache-2.0
// Counts of buckets, in the words of docs: created, overflow, removed.
#pragma once

#include <array>
#include <cstdint>

namespace twtrace::model {

/// Monotonic counts of buckets. Additive; plain values, no locking.
struct Counters {
  std::uint64_t time_wait = 0;           ///< created as TIME_WAIT
  std::uint64_t fin_wait2 = 0;           ///< created as FIN_WAIT2
  std::uint64_t overflow_time_wait = 0;  ///< refused at the TIME_WAIT stage: table at its limit
  std::uint64_t overflow_fin_wait2 = 0;  ///< refused at the FIN_WAIT2 stage: the harmful one
  std::uint64_t no_memory = 0;           ///< refused because the allocation failed
  std::uint64_t expired = 0;             ///< removed by the timer
  std::uint64_t reused = 0;              ///< removed: taken over by an outgoing connect
  std::uint64_t recycled = 0;            ///< removed: killed early by an incoming SYN
  std::uint64_t purged = 0;              ///< removed: everything else

  std::uint64_t created() const { return time_wait + fin_wait2; }
  std::uint64_t overflow() const { return overflow_time_wait + overflow_fin_wait2; }
  std::uint64_t refused() const { return overflow() + no_memory; }
  std::uint64_t removed() const { return expired + reused + recycled + purged; }

  Counters& operator+=(const Counters& other) {
    time_wait += other.time_wait;
    fin_wait2 += other.fin_wait2;
    overflow_time_wait += other.overflow_time_wait;
    overflow_fin_wait2 += other.overflow_fin_wait2;
    no_memory += other.no_memory;
    expired += other.expired;
    reused += other.reused;
    recycled += other.recycled;
    purged += other.purged;
    return *this;
  }
  /// Field by field, never below 0.
  Counters& operator-=(const Counters& other) {
    const auto take = [](std::uint64_t& from, std::uint64_t amount) { from -= amount < from ? amount : from; };
    take(time_wait, other.time_wait);
    take(fin_wait2, other.fin_wait2);
    take(overflow_time_wait, other.overflow_time_wait);
    take(overflow_fin_wait2, other.overflow_fin_wait2);
    take(no_memory, other.no_memory);
    take(expired, other.expired);
    take(reused, other.reused);
    take(recycled, other.recycled);
    take(purged, other.purged);
    return *this;
  }
  friend Counters operator+(Counters left, const Counters& right) { return left += right; }
  bool operator==(const Counters&) const = default;
};

/// All counts in the order of their declaration, for what treats them alike.
inline constexpr std::array kCounterFields = {&Counters::time_wait,
                                              &Counters::fin_wait2,
                                              &Counters::overflow_time_wait,
                                              &Counters::overflow_fin_wait2,
                                              &Counters::no_memory,
                                              &Counters::expired,
                                              &Counters::reused,
                                              &Counters::recycled,
                                              &Counters::purged};

}  // namespace twtrace::model
