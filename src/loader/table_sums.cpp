// SPDX-License-Identifier: Apache-2.0
#include "loader/table_sums.hpp"

#include <algorithm>
#include <cstring>
#include <tuple>
#include <utility>

namespace twtrace::loader {
namespace {

/// FNV-1a over words with a final mix: the inputs are addresses and ports of this host's connections, and the tables
/// live for a pass.
class WordHash {
 public:
  void add(std::uint64_t word) { state_ = (state_ ^ word) * 0x9e3779b97f4a7c15U; }
  void add(const std::array<std::uint8_t, 16>& address) {
    std::array<std::uint64_t, 2> words{};
    std::memcpy(words.data(), address.data(), sizeof(words));
    add(words[0] ^ state_ >> 32U);
    add(words[1] ^ state_ >> 32U);
  }
  std::uint64_t value() const { return state_ ^ state_ >> 29U; }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325U;
};

std::array<std::uint8_t, 16> address_of(const __u8 (&bytes)[16]) {
  std::array<std::uint8_t, 16> address{};
  std::copy(std::begin(bytes), std::end(bytes), address.begin());
  return address;
}

RemoteEnd remote_of(const tw_socket_reading& reading, std::uint16_t port) {
  return {reading.netns_id, address_of(reading.remote_address), port, reading.family};
}

void add_remote(WordHash& hash, const RemoteEnd& remote) {
  hash.add(remote.netns_id);
  hash.add(remote.address);
  hash.add(std::uint64_t{remote.port} << 8U | remote.family);
}

std::uint64_t connection_hash(const tw_socket_reading& reading) {
  WordHash hash;
  add_remote(hash, remote_of(reading, reading.remote_port));
  hash.add(address_of(reading.local_address));
  hash.add(reading.local_port);
  return hash.value();
}

/// The ends of tw_socket_reading.own_ports, either of which may not be set.
std::uint16_t first_of(std::uint32_t own_ports) { return static_cast<std::uint16_t>(own_ports); }
std::uint16_t last_of(std::uint32_t own_ports) {
  const auto last = static_cast<std::uint16_t>(own_ports >> 16U);
  return last == 0 ? UINT16_MAX : last;
}

/// A port that connect() chose is a client's, and one that it does not choose from a server's: the few clients that
/// bind themselves to such a port are not told from servers once only a bucket is left. Else the listeners decide.
/// TW_ROLE_NONE: bind() took the port, and nobody listens there now.
std::uint8_t role_of(const tw_socket_reading& reading, const OlderTally::Listens& listens) {
  if ((reading.what & TW_READ_CHOSEN) != 0) return TW_ROLE_CLIENT;
  const bool fixed = (reading.what & TW_READ_FIXED) != 0;
  return fixed || listens(reading.netns_id, reading.local_port) ? TW_ROLE_SERVER : TW_ROLE_NONE;
}

}  // namespace

bool TakenPorts::is_less_than(const TakenPorts& other) const {
  const auto rank = [](const TakenPorts& ports) {
    return std::tuple(ports.taken, ports.taken - ports.bound + ports.bound_to + ports.outside);
  };
  return rank(*this) < rank(other);
}

std::size_t PathHash::operator()(const Path& path) const {
  WordHash hash;
  add_remote(hash, path.remote);
  hash.add(path.local);
  return hash.value();
}

void OwnRanges::begin(std::uint64_t now_ns) {
  now_ns_ = now_ns;
  count_ = 0;
  for (auto path = paths_.begin(); path != paths_.end();) {
    std::vector<Range>& ranges = path->second;
    std::erase_if(ranges, [now_ns](const Range& range) { return now_ns - range.seen_ns > kRememberedNs; });
    for (Range& range : ranges) {
      range.taken = 0;
      range.is_new = false;
    }
    count_ += ranges.size();
    path = ranges.empty() ? paths_.erase(path) : std::next(path);
  }
}

void OwnRanges::add(const Path& path, std::uint16_t port, std::uint32_t own_ports) {
  if (own_ports == 0 && paths_.empty()) return;
  const auto known = paths_.find(path);
  bool is_known = own_ports == 0;
  if (known != paths_.end()) {
    for (Range& range : known->second) {
      if (port >= first_of(range.ports) && port <= last_of(range.ports)) ++range.taken;
      if (range.ports != own_ports) continue;
      range.seen_ns = now_ns_;
      is_known = true;
    }
  }
  if (is_known || count_ == kMost) return;
  ++count_;
  paths_[path].push_back({own_ports, 1, now_ns_, true});
}

std::vector<OwnRange> OwnRanges::ranges(
    const std::unordered_map<std::uint64_t, std::unordered_set<std::uint16_t>>& bound) const {
  std::vector<OwnRange> all;
  for (const auto& [path, ranges] : paths_) {
    const auto of_bind = bound.find(path.remote.netns_id);
    for (const Range& range : ranges) {
      if (range.is_new) continue;
      OwnRange& own =
          all.emplace_back(OwnRange{path.remote, first_of(range.ports), last_of(range.ports), range.taken, 0});
      if (of_bind == bound.end()) continue;
      own.bound = static_cast<std::size_t>(
          std::count_if(of_bind->second.begin(), of_bind->second.end(),
                        [&own](std::uint16_t port) { return port >= own.first && port <= own.last; }));
      own.taken += own.bound;
    }
  }
  return all;
}

std::size_t RemoteEndHash::operator()(const RemoteEnd& remote) const {
  WordHash hash;
  add_remote(hash, remote);
  return hash.value();
}

void PortTally::add(const tw_socket_reading& reading) {
  const bool ephemeral = (reading.what & TW_READ_PORTS) != 0;
  const bool bound = ephemeral && (reading.what & TW_READ_BOUND) != 0;
  if (!ephemeral && (reading.what & TW_READ_OUTSIDE) == 0) return;
  if (bound) bound_[reading.netns_id].insert(reading.local_port);
  if (reading.role == TW_ROLE_SERVER) return;
  const Path path{remote_of(reading, reading.remote_port), address_of(reading.local_address)};
  Ports& ports = paths_[path];
  ++(bound ? ports.bound : ephemeral ? ports.chosen : ports.outside);
  if (own_ != nullptr && ephemeral && !bound) own_->add(path, reading.local_port, reading.own_ports);
}

void PortTally::add(const tw_bind_reading& reading) {
  if (reading.chosen == 0) bound_[reading.netns_id].insert(reading.port);
  taken_[reading.netns_id].insert(reading.port);
}

std::vector<PortPool> PortTally::pools() const {
  std::vector<PortPool> result;
  result.reserve(taken_.size());
  for (const auto& [netns, ports] : taken_) {
    const auto bound = bound_.find(netns);
    result.push_back({netns, ports.size(), bound == bound_.end() ? 0 : bound->second.size()});
  }
  return result;
}

std::vector<OwnRange> PortTally::own_ranges() const {
  return own_ == nullptr ? std::vector<OwnRange>() : own_->ranges(bound_);
}

std::vector<TakenPorts> PortTally::fullest(std::size_t most) const {
  std::unordered_map<RemoteEnd, TakenPorts, RemoteEndHash> by_remote;
  for (const auto& [path, ports] : paths_) {
    const auto bound = bound_.find(path.remote.netns_id);
    TakenPorts here{path.remote, ports.chosen, 0, ports.bound, ports.outside};
    if (bound != bound_.end()) here.bound = bound->second.size();
    here.taken += here.bound;
    TakenPorts& fullest = by_remote[path.remote];
    if (fullest.is_less_than(here)) fullest = here;
  }
  std::vector<TakenPorts> result;
  result.reserve(by_remote.size());
  for (const auto& [remote, ports] : by_remote) result.push_back(ports);
  const std::size_t count = std::min(most, result.size());
  std::partial_sort(result.begin(), result.begin() + static_cast<std::ptrdiff_t>(count), result.end(),
                    [](const TakenPorts& a, const TakenPorts& b) { return b.is_less_than(a); });
  result.resize(count);
  return result;
}

std::size_t OlderTally::Hash::operator()(const Kind& kind) const {
  WordHash hash;
  add_remote(hash, kind.remote);
  hash.add(std::uint64_t{kind.port} << 8U | kind.role);
  return hash.value();
}

void OlderTally::begin() {
  seen_.clear();
  counts_.clear();
  undecided_ = 0;
}

void OlderTally::add(const tw_socket_reading& reading, const Listens& listens) {
  if ((reading.what & TW_READ_BUCKETS) == 0) return;
  Connection connection{connection_hash(reading), reading};
  if (!first_ && !std::binary_search(older_.begin(), older_.end(), connection)) return;
  connection.reading.role = role_of(reading, listens);
  seen_.push_back(connection);
  if (connection.reading.role == TW_ROLE_NONE) {
    ++undecided_;
  } else {
    count(connection.reading, connection.reading.role);
  }
}

void OlderTally::count(const tw_socket_reading& reading, std::uint8_t role) {
  const bool is_server = role == TW_ROLE_SERVER;
  ++counts_[is_server ? Kind{remote_of(reading, 0), role, reading.local_port}
                      : Kind{remote_of(reading, reading.remote_port), role, reading.remote_port}];
}

/// Where nobody listens any more, the end that more connections have in common is the server: clients that call bind()
/// have a local port each. One connection alone is taken for a client's.
void OlderTally::count_undecided() {
  if (undecided_ == 0) return;
  // Clients do not take one port for so many. So the other ends of these need not be counted, though there may be as
  // many of them as of buckets.
  constexpr std::size_t kSurely = 64;
  const auto local_of = [](const tw_socket_reading& reading) {
    return RemoteEnd{reading.netns_id, {}, reading.local_port, 0};  // no family: no remote end
  };
  std::unordered_map<RemoteEnd, std::size_t, RemoteEndHash> locals;
  for (const Connection& connection : seen_) {
    if (connection.reading.role == TW_ROLE_NONE) ++locals[local_of(connection.reading)];
  }
  std::unordered_map<RemoteEnd, std::size_t, RemoteEndHash> others;
  std::vector<const tw_socket_reading*> unsure;
  for (const Connection& connection : seen_) {
    const tw_socket_reading& reading = connection.reading;
    if (reading.role != TW_ROLE_NONE) continue;
    const std::size_t in_common = locals[local_of(reading)];
    if (in_common == 1 || in_common > kSurely) {
      count(reading, in_common == 1 ? TW_ROLE_CLIENT : TW_ROLE_SERVER);
    } else {
      unsure.push_back(&reading);
    }
    if (in_common <= kSurely) ++others[remote_of(reading, reading.remote_port)];
  }
  for (const tw_socket_reading* reading : unsure) {
    const bool is_server = locals[local_of(*reading)] > others[remote_of(*reading, reading->remote_port)];
    count(*reading, is_server ? TW_ROLE_SERVER : TW_ROLE_CLIENT);
  }
}

std::vector<tw_socket_reading> OlderTally::end(bool complete) {
  std::vector<tw_socket_reading> gone;
  count_undecided();
  if (!first_ && !complete) return gone;
  first_ = false;
  std::sort(seen_.begin(), seen_.end());
  for (const Connection& connection : older_) {
    if (!std::binary_search(seen_.begin(), seen_.end(), connection)) gone.push_back(connection.reading);
  }
  std::swap(older_, seen_);
  return gone;
}

std::vector<OlderBuckets> OlderTally::rows() const {
  std::vector<OlderBuckets> rows;
  rows.reserve(counts_.size());
  for (const auto& [kind, count] : counts_) rows.push_back({kind.remote, kind.role, kind.port, count});
  return rows;
}

}  // namespace twtrace::loader
