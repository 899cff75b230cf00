// SPDX-License-Identifier: Apache-2.0
// Counts of buckets, in the words of the docs: created, overflow, removed; and of the harm: no port, resets.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>
#include <tuple>

namespace twtrace::model {

/// Monotonic counts of buckets, and of who was hurt. Additive; plain values, no locking.
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
  std::uint64_t no_port = 0;             ///< connect() or bind() to port 0 that failed because no local port was free
  std::uint64_t resets_received = 0;     ///< RSTs that ended a connection at this end
  std::uint64_t resets_felt = 0;         ///< those of a socket that a process still had
  std::uint64_t peer_resets = 0;         ///< RSTs sent to the peer of a connection that had been refused a bucket
  std::uint64_t peer_resets_avoidable =
      0;                                 ///< those in answer to a segment without data: a bucket would have answered it
  std::uint64_t resets_late = 0;         ///< RSTs sent to a segment that came after the close, at a bucket or an orphan
  std::uint64_t resets_aborted = 0;      ///< a process ended the connection with it
  std::uint64_t resets_closed_port = 0;  ///< to a SYN for a port on which nobody listens
  std::uint64_t resets_other = 0;        ///< all other RSTs sent
  std::uint64_t queue_drops = 0;         ///< connection attempts that a listening socket dropped
  std::uint64_t no_port_bind = 0;        ///< of no_port: bind()

  std::uint64_t created() const { return time_wait + fin_wait2; }
  std::uint64_t overflow() const { return overflow_time_wait + overflow_fin_wait2; }
  std::uint64_t refused() const { return overflow() + no_memory; }
  std::uint64_t removed() const { return expired + reused + recycled + purged; }
  /// no_port without bind(): connect().
  std::uint64_t no_port_connect() const { return no_port - (no_port_bind < no_port ? no_port_bind : no_port); }
  /// What was done to somebody, besides refusals.
  std::uint64_t harm() const { return no_port + queue_drops + resets_felt; }
  /// The kernel's OutRsts.
  std::uint64_t resets_sent() const {
    return peer_resets + resets_late + resets_aborted + resets_closed_port + resets_other;
  }

  Counters& operator+=(const Counters& other);
  /// Field by field, never below 0.
  Counters& operator-=(const Counters& other);
  friend Counters operator+(Counters left, const Counters& right) { return left += right; }
  bool operator==(const Counters&) const = default;
};

/// A count that is kept, and its name in capture files.
struct CounterField {
  std::string_view name;
  std::uint64_t Counters::*count;
};
/// All of them, in the order of their declaration.
inline constexpr std::array<CounterField, 20> kCounterFields = {
    {{"time_wait", &Counters::time_wait},
     {"fin_wait2", &Counters::fin_wait2},
     {"overflow_time_wait", &Counters::overflow_time_wait},
     {"overflow_fin_wait2", &Counters::overflow_fin_wait2},
     {"no_memory", &Counters::no_memory},
     {"expired", &Counters::expired},
     {"reused", &Counters::reused},
     {"recycled", &Counters::recycled},
     {"purged", &Counters::purged},
     {"no_port", &Counters::no_port},
     {"resets_received", &Counters::resets_received},
     {"resets_felt", &Counters::resets_felt},
     {"peer_resets", &Counters::peer_resets},
     {"peer_resets_avoidable", &Counters::peer_resets_avoidable},
     {"resets_late", &Counters::resets_late},
     {"resets_aborted", &Counters::resets_aborted},
     {"resets_closed_port", &Counters::resets_closed_port},
     {"resets_other", &Counters::resets_other},
     {"queue_drops", &Counters::queue_drops},
     {"no_port_bind", &Counters::no_port_bind}}};

inline Counters& Counters::operator+=(const Counters& other) {
  std::apply([&](const auto&... field) { ((this->*field.count += other.*field.count), ...); }, kCounterFields);
  return *this;
}

inline Counters& Counters::operator-=(const Counters& other) {
  const auto take = [](std::uint64_t& from, std::uint64_t amount) { from -= amount < from ? amount : from; };
  std::apply([&](const auto&... field) { (take(this->*field.count, other.*field.count), ...); }, kCounterFields);
  return *this;
}

/// Picks a count.
using CountOf = std::uint64_t (*)(const Counters&);

/// A member of Counters, or one of its sums, as a CountOf.
template <auto kMember>
std::uint64_t count_of(const Counters& counts) {
  return std::invoke(kMember, counts);
}

/// What not every backend sees, on every kernel. A count of what is not seen is unknown, not 0.
struct Sight {
  bool removal = false;          ///< expired, reused, recycled and purged
  bool no_port = false;          ///< no_port, of connect()
  bool resets_received = false;  ///< resets_received and resets_felt
  bool resets_sent = false;      ///< peer_resets and everything else about resets that this host sent
  bool queue_drops = false;      ///< queue_drops
  bool no_port_bind = false;     ///< no_port_bind; where it is not seen, no_port is of connect() alone

  /// What both see.
  Sight& operator&=(const Sight& other) {
    removal = removal && other.removal;
    no_port = no_port && other.no_port;
    resets_received = resets_received && other.resets_received;
    resets_sent = resets_sent && other.resets_sent;
    queue_drops = queue_drops && other.queue_drops;
    no_port_bind = no_port_bind && other.no_port_bind;
    return *this;
  }
};

/// A count as outputs call it, sums included.
struct CountName {
  std::string_view name;
  CountOf of;
  bool Sight::*needs = nullptr;  ///< null: every backend sees it

  bool is_known(const Sight& sees) const { return needs == nullptr || sees.*needs; }
};
/// All of them, in the order of the outputs.
inline constexpr std::array<CountName, 23> kCountNames = {
    {{"created", count_of<&Counters::created>},
     {"time_wait", count_of<&Counters::time_wait>},
     {"fin_wait2", count_of<&Counters::fin_wait2>},
     {"overflow", count_of<&Counters::overflow>},
     {"overflow_time_wait", count_of<&Counters::overflow_time_wait>},
     {"overflow_fin_wait2", count_of<&Counters::overflow_fin_wait2>},
     {"no_memory", count_of<&Counters::no_memory>},
     {"reused", count_of<&Counters::reused>, &Sight::removal},
     {"recycled", count_of<&Counters::recycled>, &Sight::removal},
     {"expired", count_of<&Counters::expired>, &Sight::removal},
     {"purged", count_of<&Counters::purged>, &Sight::removal},
     {"no_port", count_of<&Counters::no_port>, &Sight::no_port},
     {"no_port_bind", count_of<&Counters::no_port_bind>, &Sight::no_port_bind},
     {"resets_received", count_of<&Counters::resets_received>, &Sight::resets_received},
     {"resets_felt", count_of<&Counters::resets_felt>, &Sight::resets_received},
     {"peer_resets", count_of<&Counters::peer_resets>, &Sight::resets_sent},
     {"peer_resets_avoidable", count_of<&Counters::peer_resets_avoidable>, &Sight::resets_sent},
     {"resets_sent", count_of<&Counters::resets_sent>, &Sight::resets_sent},
     {"resets_late", count_of<&Counters::resets_late>, &Sight::resets_sent},
     {"resets_aborted", count_of<&Counters::resets_aborted>, &Sight::resets_sent},
     {"resets_closed_port", count_of<&Counters::resets_closed_port>, &Sight::resets_sent},
     {"resets_other", count_of<&Counters::resets_other>, &Sight::resets_sent},
     {"queue_drops", count_of<&Counters::queue_drops>, &Sight::queue_drops}}};

}  // namespace twtrace::model
