// SPDX-License-Identifier: Apache-2.0
#include "capture/stored_events.hpp"

#include <algorithm>
#include <string>

#include "capture/columns.hpp"
#include "capture/names.hpp"
#include "capture/stored_netns.hpp"
#include "capture/stored_services.hpp"
#include "capture/versions.hpp"

namespace twtrace::capture {
namespace {

/// Counting cannot have given a larger id.
constexpr std::uint64_t kMaxId = std::uint64_t{1} << 60U;

/// The events with an id from `first` up to before `end`.
struct Span {
  std::int64_t first = 1;
  std::int64_t end = 1;
};

base::Error unreadable(const Database& database, int code) {
  return code == SQLITE_ROW ? malformed(database, "event") : database.error("cannot be read");
}

base::Result<Span> all_events(const Database& database) {
  auto query = database.prepare("SELECT (SELECT min(id) FROM event), (SELECT max(id) FROM event)");
  if (!query) return tl::unexpected(query.error());
  const int code = query->step();
  if (code != SQLITE_ROW) return tl::unexpected(unreadable(database, code));
  Columns row(query->get());
  if (row.is_null()) return Span();
  const auto first = row.number<std::uint64_t>(kMaxId);
  const auto last = row.number<std::uint64_t>(kMaxId);
  if (!row.ok()) return tl::unexpected(malformed(database, "event"));
  return Span{static_cast<std::int64_t>(first), static_cast<std::int64_t>(last) + 1};
}

/// Those up to a time. They are in the order of their times, except for small differences between CPUs.
base::Result<Span> not_younger(const Database& database, Span span, std::int64_t unix_ms) {
  auto query = database.prepare("SELECT time_unix_ms FROM event WHERE id>=? ORDER BY id LIMIT 1");
  if (!query) return tl::unexpected(query.error());
  for (std::int64_t low = span.first; low < span.end;) {
    const std::int64_t middle = low + (span.end - low) / 2;
    query->reset();
    query->bind_all(middle);
    const int code = query->step();
    if (code != SQLITE_ROW) return tl::unexpected(unreadable(database, code));
    Columns row(query->get());
    const bool younger = row.unix_ms() > unix_ms;
    if (!row.ok()) return tl::unexpected(malformed(database, "event"));
    if (younger) {
      span.end = middle;
    } else {
      low = middle + 1;
    }
  }
  return span;
}

model::Event read_event(Columns& row, const StoredNetns& namespaces) {
  model::Event event;
  event.time_unix_ms = row.unix_ms();
  event.kind = row.word(kind_named, event.kind);
  if (event.has_substate()) {
    event.substate = row.word(substate_named, event.substate);
  } else {
    row.expect(row.text().empty());
  }
  event.reason = row.optional([](Columns& c) { return c.word(reason_named, model::Event::Reason::kUnknown); })
                     .value_or(model::Event::Reason::kUnknown);
  event.age_s = row.optional([](Columns& c) { return c.length(); });
  event.count = row.count();
  event.cookie = static_cast<std::uint64_t>(row.optional([](Columns& c) { return c.integer(); }).value_or(0));
  event.netns = row.optional([](Columns& c) { return c.number<std::uint32_t>(); });
  event.netns_id = namespaces.id(event.netns, row);
  const model::NetnsName* const netns = event.netns_id ? namespaces.find(*event.netns_id) : nullptr;
  if (netns != nullptr) event.netns_name = netns->name;
  const auto pid = row.optional([](Columns& c) { return c.number<std::uint32_t>(kMaxPid); });
  const auto comm = row.optional([](Columns& c) { return c.text(); });
  event.uid = row.optional([](Columns& c) { return c.number<std::uint32_t>(); });
  if (comm) event.process = model::ProcessId{pid, *comm, event.uid, 1, false};
  event.role = row.optional([](Columns& c) { return c.word(role_named, model::Role::kClient); });
  event.port = row.optional([](Columns& c) { return c.number<std::uint16_t>(); });
  event.attribution = row.word(attribution_named, event.attribution);
  event.local_address = row.text();
  event.local_port = row.number<std::uint16_t>();
  event.remote_address = row.text();
  event.ipv6 = event.remote_address.find(':') != std::string::npos;
  event.remote_port = row.number<std::uint16_t>();
  event.service = read_service(row);
  row.expect(event.can_have(event.reason) && event.count > 0);
  return event;
}

}  // namespace

base::Result<std::vector<model::Event>> events_until(const Database& database, const StoredNetns& namespaces,
                                                     std::int64_t unix_ms, std::size_t most) {
  const auto version = database.version();
  if (!version) return tl::unexpected(version.error());
  const auto all = all_events(database);
  if (!all) return tl::unexpected(all.error());
  const auto span = not_younger(database, *all, unix_ms);
  if (!span) return tl::unexpected(span.error());
  auto query = database.prepare(
      "SELECT time_unix_ms, event.kind, substate, reason, age_s, " +
      std::string(*version < kVersionWithEventCount ? "1" : "count") + ", cookie, " +
      std::string(namespaces.columns()) +
      ", pid, comm, uid, role, port, attribution, local_address, local_port, remote_address, remote_port, " +
      kServiceColumns +
      " FROM event LEFT JOIN service ON service.id=event.service WHERE event.id<? ORDER BY event.id DESC LIMIT ?");
  if (!query) return tl::unexpected(query.error());
  query->bind_all(span->end, most);
  std::vector<model::Event> events;
  int code = query->step();
  for (; code == SQLITE_ROW; code = query->step()) {
    Columns row(query->get());
    events.push_back(read_event(row, namespaces));
    if (!row.ok()) return tl::unexpected(malformed(database, "event"));
  }
  if (code != SQLITE_DONE) return tl::unexpected(database.error("cannot be read"));
  std::reverse(events.begin(), events.end());
  return events;
}

}  // namespace twtrace::capture
