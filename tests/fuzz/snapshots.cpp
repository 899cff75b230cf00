// SPDX-License-Identifier: Apache-2.0
#include "snapshots.hpp"

#include <algorithm>
#include <cstring>

namespace twtrace::fuzz {
namespace {

/// Takes values from the front of the bytes.
class Reader {
 public:
  explicit Reader(Bytes bytes) : rest_(bytes) {}

  template <class T>
  T number() {
    T value{};
    const std::size_t size = std::min(sizeof(T), rest_.size());
    if (size > 0) std::memcpy(&value, rest_.data(), size);
    rest_ = rest_.subspan(size);
    return value;
  }
  std::size_t below(std::size_t bound) { return number<std::uint8_t>() % bound; }
  bool flag() { return below(2) == 1; }
  std::string name() {
    const std::size_t wanted = below(24);  // takes a byte, so it comes before the size of the rest
    const std::size_t size = std::min(wanted, rest_.size());
    std::string result(text(rest_.first(size)));
    rest_ = rest_.subspan(size);
    return result;
  }
  template <class T>
  std::optional<T> maybe() {
    return flag() ? std::optional(number<T>()) : std::nullopt;
  }

 private:
  Bytes rest_;
};

model::Counters counters(Reader& reader) {
  model::Counters counts;
  for (std::uint64_t* field : {&counts.time_wait, &counts.fin_wait2, &counts.overflow_time_wait,
                               &counts.overflow_fin_wait2, &counts.no_memory, &counts.expired}) {
    *field = reader.flag() ? reader.number<std::uint64_t>() : reader.below(100);
  }
  return counts;
}

base::Service service(Reader& reader) {
  base::Service service;
  if (reader.flag()) service.kind = "systemd";
  service.name = reader.name();
  service.cgroup = reader.name();
  service.container = reader.name();
  return service;
}

model::ProcessId process(Reader& reader) {
  model::ProcessId process;
  process.pid = reader.maybe<std::uint32_t>();
  process.comm = reader.name();
  process.uid = reader.maybe<std::uint32_t>();
  process.pids = reader.number<std::uint32_t>();
  process.exited = reader.flag();
  return process;
}

model::Row row(Reader& reader) {
  model::Row row;
  row.kind = static_cast<model::RowKind>(reader.below(3));
  row.netns = reader.maybe<std::uint32_t>();
  row.netns_name = reader.name();
  if (reader.flag()) row.process = process(reader);
  if (reader.flag()) row.service = service(reader);
  if (reader.flag()) row.role = static_cast<model::Role>(reader.below(2));
  row.port = reader.maybe<std::uint16_t>();
  if (reader.flag()) row.peer = model::Peer{reader.name(), reader.maybe<std::uint16_t>()};
  if (reader.flag()) row.attribution = static_cast<model::Attribution>(reader.below(3));
  row.counts = counters(reader);
  row.live = reader.maybe<std::uint64_t>();
  row.created_per_s = reader.number<double>();
  row.overflow_per_s = reader.number<double>();
  return row;
}

model::NetnsRow netns(Reader& reader) {
  model::NetnsRow netns;
  netns.netns = reader.number<std::uint32_t>();
  netns.name = reader.name();
  netns.gone = reader.flag();
  netns.limit = reader.maybe<std::uint64_t>();
  netns.in_use = reader.maybe<std::uint64_t>();
  netns.counts = counters(reader);
  netns.kernel.created = reader.maybe<std::uint64_t>();
  netns.missed.created = reader.maybe<std::uint64_t>();
  netns.missed.overflow = reader.maybe<std::uint64_t>();
  if (reader.flag()) netns.reconciled = reader.flag();
  netns.created_per_s = reader.number<double>();
  return netns;
}

}  // namespace

model::Snapshot make_snapshot(Bytes bytes) {
  Reader reader(bytes);
  model::Snapshot snapshot;
  snapshot.group = static_cast<model::Group>(reader.below(6));
  snapshot.probe.sees.removal = reader.flag();
  snapshot.probe.sees.no_port = reader.flag();
  snapshot.probe.sees.resets_sent = reader.flag();
  snapshot.probe.sees.queue_drops = reader.flag();
  snapshot.probe.sees.no_port_bind = reader.flag();
  snapshot.probe.backend = "tracepoint";
  const std::size_t rows = reader.below(5);
  const std::size_t namespaces = reader.below(4);
  snapshot.time_unix_ms = reader.number<std::int64_t>();
  snapshot.interval_s = reader.number<double>();
  snapshot.host = {reader.name(), reader.name()};
  if (reader.flag()) snapshot.probe.fallbacks.push_back(reader.name());
  for (std::size_t i = 0; i < rows; ++i) snapshot.rows.push_back(row(reader));
  for (std::size_t i = 0; i < namespaces; ++i) snapshot.namespaces.push_back(netns(reader));
  snapshot.totals = counters(reader);
  snapshot.lost.events = reader.number<std::uint64_t>();
  snapshot.lost.recursion_misses = reader.maybe<std::uint64_t>();
  if (reader.flag()) snapshot.live_age_s = reader.number<double>();
  return snapshot;
}

model::Event make_event(Bytes bytes) {
  Reader reader(bytes);
  model::Event event;
  event.kind = static_cast<model::Event::Kind>(reader.below(4));
  event.substate = static_cast<model::Event::Substate>(reader.below(2));
  event.reason = static_cast<model::Event::Reason>(reader.below(5));
  event.time_unix_ms = reader.number<std::int64_t>();
  event.cookie = reader.number<std::uint64_t>();
  event.netns = reader.maybe<std::uint32_t>();
  event.netns_name = reader.name();
  if (reader.flag()) event.process = process(reader);
  event.service = service(reader);
  event.uid = reader.maybe<std::uint32_t>();
  if (reader.flag()) event.role = static_cast<model::Role>(reader.below(2));
  event.port = reader.maybe<std::uint16_t>();
  event.attribution = static_cast<model::Attribution>(reader.below(3));
  event.local_address = reader.name();
  event.local_port = reader.number<std::uint16_t>();
  event.remote_address = reader.name();
  event.remote_port = reader.number<std::uint16_t>();
  if (reader.flag()) event.age_s = reader.number<double>();
  return event;
}

std::vector<std::string> snapshot_seeds() {
  std::vector<std::string> seeds;
  for (unsigned group = 0; group < 6; ++group) {
    std::string seed = {static_cast<char>(group), '\1', '\4', '\3'};
    for (unsigned i = 0; i < 700; ++i) seed += static_cast<char>((i * (37 + 2 * group) + group) & 0x7fU);
    seeds.push_back(std::move(seed));
  }
  return seeds;
}

}  // namespace twtrace::fuzz
