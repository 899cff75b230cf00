// SPDX-License-Identifier: Apache-2.0
// Snapshots and events for tests of the code that reads them.
#pragma once

#include <string>

#include "model/snapshot.hpp"

namespace twtrace::test {

/// 2026-01-02T03:04:05.678Z
constexpr std::int64_t kTime = 1767323045678;

inline model::Row worker_row() {
  model::Row row;
  row.netns = 4026531840U;
  row.netns_id = 7;
  row.netns_name = "host";
  row.process = model::ProcessId{812, "redis-worker", 33, 1, false};
  row.service = base::Service{"systemd", "worker.service", "/system.slice/worker.service", {}, {}};
  row.role = model::Role::kClient;
  row.port = std::uint16_t{6379};
  row.attribution = model::Attribution::kCloser;
  row.counts = {5011, 7, 1201, 3, 0, 11, 13, 17, 19, 23, 29, 27, 31, 21, 2, 4, 5, 6, 37};
  row.live = 4903;
  row.created_per_s = 812.4;
  row.overflow_per_s = 312;
  return row;
}

/// One namespace at its limit, one row, a backend that sees everything.
inline model::Snapshot snapshot(model::Group group = model::Group::kProcess) {
  model::Snapshot snapshot;
  snapshot.time_unix_ms = kTime;
  snapshot.interval_s = 1;
  snapshot.uptime_s = 12;
  snapshot.host = {"web1", "6.12.0"};
  snapshot.probe = {"fentry", {}, {true, true, true, true, true, true}};
  snapshot.group = group;
  snapshot.rows = {worker_row()};
  snapshot.totals = snapshot.rows[0].counts;
  model::NetnsRow netns;
  netns.id = 7;
  netns.netns = 4026531840U;
  netns.name = "host";
  netns.limit = 5000;
  netns.in_use = 4998;
  netns.pre_existing = 95;
  netns.counts = snapshot.totals;
  netns.created_per_s = 812.4;
  netns.overflow_per_s = 312;
  netns.kernel = {5018, 1204, 13, 0, 0};
  netns.missed = {0, 0};
  netns.reconciled = true;
  snapshot.namespaces = {netns};
  snapshot.live_age_s = 0;
  model::Trouble trouble;
  trouble.netns = 4026531840U;
  trouble.netns_name = "host";
  trouble.use = model::Use{4998, 5000};
  trouble.holder = model::Party{"worker.service", "redis-worker", false, 4903, 0, 4903.0 / 4998};
  trouble.refused = model::Party{"worker.service", "redis-worker", false, 312, 312, 1};
  trouble.refused_per_s = 312;
  snapshot.troubles = {trouble};
  return snapshot;
}

inline model::Event event() {
  model::Event event;
  event.kind = model::Event::Kind::kOverflow;
  event.time_unix_ms = kTime;
  event.cookie = 0x1f03;
  event.netns = 4026531840U;
  event.netns_id = 7;
  event.netns_name = "host";
  event.process = model::ProcessId{812, "redis-worker", 33, 1, false};
  event.service = base::Service{"systemd", "worker.service", "/system.slice/worker.service", {}, {}};
  event.uid = 33;
  event.role = model::Role::kClient;
  event.port = std::uint16_t{6379};
  event.attribution = model::Attribution::kCloser;
  event.local_address = "10.0.0.1";
  event.local_port = 4242;
  event.remote_address = "10.0.0.2";
  event.remote_port = 6379;
  event.substate = model::Event::Substate::kFinWait2;
  return event;
}

}  // namespace twtrace::test
