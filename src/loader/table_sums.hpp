// SPDX-License-Identifier: Apache-2.0
// What the sockets of a pass over the tables come to. Pure.
#pragma once

#include <twtrace/abi.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace twtrace::loader {

/// The remote end of connections.
struct RemoteEnd {
  std::uint64_t netns_id = 0;  ///< tw_namespace_reading.id
  std::array<std::uint8_t, 16> address{};
  std::uint16_t port = 0;
  std::uint8_t family = 0;  ///< TW_FAMILY_*

  bool operator==(const RemoteEnd&) const = default;
};
struct RemoteEndHash {
  std::size_t operator()(const RemoteEnd& remote) const;
};

/// A remote end and how many local ports are taken towards it.
struct TakenPorts {
  RemoteEnd remote;
  std::size_t taken = 0;     ///< ports that no connect() to it can choose
  std::size_t bound = 0;     ///< those of them that bind() took: no connect() of the namespace can choose them
  std::size_t bound_to = 0;  ///< those of them that are connected to this remote end
  std::size_t outside =
      0;  ///< further ports towards it: clients took them with bind(), and connect() never chooses them

  /// Whether fewer are taken towards it, or as many and fewer connections of its own take them.
  bool is_less_than(const TakenPorts& other) const;
};

/// The ports of a namespace from which connect() chooses, and bind() to port 0.
struct PortPool {
  std::uint64_t netns_id = 0;  ///< tw_namespace_reading.id
  std::size_t taken = 0;       ///< somebody has them, so bind() to port 0 cannot choose them for every local address
  std::size_t bound = 0;       ///< of these, those that bind() took: connect() can choose them for no destination
};

/// The ends of connections, without the local port.
struct Path {
  RemoteEnd remote;
  std::array<std::uint8_t, 16> local{};
  bool operator==(const Path&) const = default;
};
struct PathHash {
  std::size_t operator()(const Path& path) const;
};

/// The ports of a range that clients have of their own, and how many of them no connect() from there can choose.
struct OwnRange {
  RemoteEnd remote;
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  std::size_t taken = 0;
  std::size_t bound = 0;  ///< of these, those that bind() took
};

/// The ranges that clients have of their own (IP_LOCAL_PORT_RANGE). Only a socket knows its range, and a bucket takes a
/// port of it for a minute more. So a range is remembered as long after the last socket that had it. Each is counted
/// from the pass after the one that found it. Bounded; not thread-safe.
class OwnRanges {
 public:
  static constexpr std::size_t kMost = 256;
  static constexpr std::uint64_t kRememberedNs = 60'000'000'000;

  /// Before each pass. `now_ns` is of any clock that does not go back.
  void begin(std::uint64_t now_ns);
  /// Takes what PortTally::add() counts as a port that connect() chose.
  void add(const Path& path, std::uint16_t port, std::uint32_t own_ports);
  /// Of this pass, in no particular order. `bound`: of its namespace, the ports that bind() took.
  std::vector<OwnRange> ranges(const std::unordered_map<std::uint64_t, std::unordered_set<std::uint16_t>>& bound) const;

 private:
  struct Range {
    std::uint32_t ports = 0;  ///< as in tw_socket_reading
    std::size_t taken = 0;
    std::uint64_t seen_ns = 0;
    bool is_new = true;
  };

  std::unordered_map<Path, std::vector<Range>, PathHash> paths_;
  std::size_t count_ = 0;
  std::uint64_t now_ns_ = 0;
};

/// Counts the ports from which connect() chooses. One that connect() has chosen is taken for a pair of addresses and
/// the remote port, so of several local addresses the one with the most counts: it runs out first. One that bind() has
/// taken is taken for every connect() of the namespace (__inet_hash_connect, 5.10 to 7.x, skips a port whose bind
/// bucket has fastreuse or fastreuseport >= 0). Not thread-safe.
class PortTally {
 public:
  /// `own`, if any, is told of each port that connect() chose. It must outlive the tally.
  explicit PortTally(OwnRanges* own = nullptr) : own_(own) {}

  /// Takes readings that say TW_READ_PORTS or TW_READ_OUTSIDE, each socket once; leaves alone all others.
  void add(const tw_socket_reading& reading);
  /// Takes a port that somebody has, with or without a peer. The same port may come twice.
  void add(const tw_bind_reading& reading);
  /// The `most` remote ends with the most ports taken, the fullest first. Clients of this host are none.
  std::vector<TakenPorts> fullest(std::size_t most) const;
  /// Empty without `own`.
  std::vector<OwnRange> own_ranges() const;
  /// Of each namespace where add() got a port, in no particular order.
  std::vector<PortPool> pools() const;

 private:
  struct Ports {
    std::size_t chosen = 0;
    std::size_t bound = 0;
    std::size_t outside = 0;
  };

  OwnRanges* own_;
  std::unordered_map<Path, Ports, PathHash> paths_;
  std::unordered_map<std::uint64_t, std::unordered_set<std::uint16_t>> bound_;  ///< by namespace
  std::unordered_map<std::uint64_t, std::unordered_set<std::uint16_t>> taken_;  ///< the same
};

/// Buckets of one kind that were there before twtrace.
struct OlderBuckets {
  RemoteEnd remote;        ///< without its port for a server: it says nothing
  std::uint8_t role = 0;   ///< TW_ROLE_*
  std::uint16_t port = 0;  ///< local for a server, remote for a client
  std::size_t count = 0;
};

/// Tells buckets that were there before twtrace from those that it missed. Both are unknown to the tracer. Not
/// thread-safe.
class OlderTally {
 public:
  /// Whether somebody listens, or did, on that port of that namespace.
  using Listens = std::function<bool(std::uint64_t netns_id, std::uint16_t port)>;

  /// Before each pass. What is added in the first one, right after counting was switched on, was there before.
  void begin();
  /// Takes readings that say TW_READ_BUCKETS, each bucket once; leaves alone all others.
  void add(const tw_socket_reading& reading, const Listens& listens);
  /// After each pass; `complete`: nothing was left out of it, so what is older and was not added has gone. Returns the
  /// last reading of each that has.
  std::vector<tw_socket_reading> end(bool complete);

  /// Those of the pass that ended last that were there before twtrace, in no particular order.
  std::vector<OlderBuckets> rows() const;

 private:
  struct Kind {
    RemoteEnd remote;
    std::uint8_t role = 0;
    std::uint16_t port = 0;
    bool operator==(const Kind&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Kind& kind) const;
  };

  struct Connection {
    std::uint64_t hash = 0;
    tw_socket_reading reading{};
    bool operator<(const Connection& other) const { return hash < other.hash; }
  };

  void count(const tw_socket_reading& reading, std::uint8_t role);
  void count_undecided();

  bool first_ = true;
  std::vector<Connection> older_;  ///< in order
  std::vector<Connection> seen_;   ///< of this pass, in no order; with the role, or TW_ROLE_NONE
  std::unordered_map<Kind, std::size_t, Hash> counts_;
  std::size_t undecided_ = 0;  ///< of seen_, those without a role
};

}  // namespace twtrace::loader
