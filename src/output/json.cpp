// SPDX-License-Identifier: Apache-2.0
#include "output/json.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "base/format.hpp"
#include "model/columns.hpp"
#include "output/json_fields.hpp"

namespace twtrace::output {
namespace {

template <class T>
Json named(const std::optional<T>& value) {
  return value ? Json(model::to_string(*value)) : Json(nullptr);
}

Json netns_json(const model::NetnsRow& row, bool sees_removal) {
  Json object;
  object["netns"] = row.netns;
  put_text(object, "name", row.name);
  object["limit"] = nullable(row.limit);
  object["in_use"] = nullable(row.in_use);
  object["pre_existing"] = nullable(row.pre_existing);
  object["created"] = row.counts.created();
  object["overflow"] = row.counts.overflow();
  object["no_memory"] = row.counts.no_memory;
  object["kernel"] = {{"created", nullable(row.kernel.created)},
                      {"overflow", nullable(row.kernel.overflow)},
                      {"reused", nullable(row.kernel.reused)}};
  object["missed"] = {{"created", nullable(row.missed.created)}, {"overflow", nullable(row.missed.overflow)}};
  object["reconciled"] = nullable(row.reconciled);
  object["gone"] = row.gone;
  put_counts(object, row.counts, sees_removal);  // adds to what is there, which keeps its place
  object["unattributed"] = row.unattributed.created();
  object["unattributed_overflow"] = row.unattributed.overflow();
  object["created_per_s"] = rounded(row.created_per_s);
  object["overflow_per_s"] = rounded(row.overflow_per_s);
  return object;
}

Json process_json(const std::optional<model::ProcessId>& process) {
  Json object{{"pid", nullptr}, {"comm", nullptr}, {"uid", nullptr}, {"pids", nullptr}, {"exited", nullptr}};
  if (!process) return object;
  object["pid"] = nullable(process->pid);
  put_text(object, "comm", process->comm);
  object["uid"] = nullable(process->uid);
  object["pids"] = process->pids;
  object["exited"] = process->exited;
  return object;
}

Json service_json(const base::Service& service) {
  Json object;
  object["kind"] = service.kind;
  put_text(object, "name", service.name);
  put_text(object, "cgroup", service.cgroup);
  if (!service.pod.empty()) put_text(object, "pod", service.pod);
  if (!service.container.empty()) put_text(object, "container", service.container);
  return object;
}

Json peer_json(const std::optional<model::Peer>& peer) {
  if (!peer) return nullptr;
  Json object;
  put_text(object, "address", peer->address);
  object["port"] = nullable(peer->port);
  return object;
}

Json row_json(const model::Row& row, const model::Snapshot& snapshot) {
  Json object;
  object["netns"] = nullable(row.netns);
  object["process"] = process_json(row.process);
  object["service"] = row.service ? service_json(*row.service) : Json(nullptr);
  object["role"] = named(row.role);
  object["port"] = nullable(row.port);
  if (snapshot.group == model::Group::kPeer) object["peer"] = peer_json(row.peer);
  object["attribution"] = named(row.attribution);
  put_counts(object, row.counts, snapshot.probe.sees_removal);
  object["live"] = nullable(row.live);
  object["created_per_s"] = rounded(row.created_per_s);
  object["overflow_per_s"] = rounded(row.overflow_per_s);
  object["kind"] = std::string(model::row_kind(row.kind));
  put_text(object, "netns_name", row.netns_name);
  return object;
}

Json cost_json(const model::Cost& cost) {
  return {{"bpf_run_ns_per_event", nullable(cost.bpf_run_ns_per_event)},
          {"cpu_percent", rounded(cost.cpu_percent)},
          {"rss_bytes", cost.rss_bytes}};
}

Json event_process_json(const model::Event& event) {
  Json object{{"pid", nullptr}, {"comm", nullptr}, {"uid", nullptr}};
  if (event.process) {
    object["pid"] = nullable(event.process->pid);
    put_text(object, "comm", event.process->comm);
    object["uid"] = nullable(event.process->uid);
  }
  if (event.uid) object["uid"] = *event.uid;
  return object;
}

Json endpoint_json(const std::string& address, std::uint16_t port) {
  Json object;
  put_text(object, "address", address);
  object["port"] = port == 0 ? Json(nullptr) : Json(port);
  return object;
}

Json reason_json(const model::Event& event) {
  const bool known = event.kind == model::Event::Kind::kRemoved && event.reason != model::Event::Reason::kUnknown;
  return known ? Json(model::to_string(event.reason)) : Json(nullptr);
}

}  // namespace

std::string snapshot_json(const model::Snapshot& snapshot) {
  Json object;
  object["schema"] = "twtrace.snapshot/1";
  object["time"] = base::iso8601_ms(snapshot.time_unix_ms);
  object["time_unix_ms"] = snapshot.time_unix_ms;
  object["interval_s"] = rounded(snapshot.interval_s);
  object["uptime_s"] = rounded(snapshot.uptime_s);
  object["group"] = model::to_string(snapshot.group);
  object["host"] = host_json(snapshot.host);
  object["probe"] = probe_json(snapshot.probe);
  object["totals"] = totals_json(snapshot.totals, snapshot.unattributed, snapshot.probe.sees_removal);
  object["namespaces"] = Json::array();
  for (const model::NetnsRow& row : snapshot.namespaces) {
    object["namespaces"].push_back(netns_json(row, snapshot.probe.sees_removal));
  }
  object["rows"] = Json::array();
  for (const model::Row& row : snapshot.rows) object["rows"].push_back(row_json(row, snapshot));
  object["lost"] = lost_json(snapshot.lost);
  object["cost"] = cost_json(snapshot.cost);
  object["rows_hidden"] = snapshot.rows_hidden;
  object["live_age_s"] = snapshot.live_age_s ? Json(rounded(*snapshot.live_age_s)) : Json(nullptr);
  return to_line(object);
}

std::string event_json(const model::Event& event) {
  Json object;
  object["schema"] = "twtrace.event/1";
  object["time"] = base::iso8601_ms(event.time_unix_ms);
  object["time_unix_ms"] = event.time_unix_ms;
  object["event"] = model::to_string(event.kind);
  object["substate"] = model::to_string(event.substate);
  object["reason"] = reason_json(event);
  object["age_s"] = nullable(event.age_s);
  object["netns"] = nullable(event.netns);
  put_text(object, "netns_name", event.netns_name);
  object["process"] = event_process_json(event);
  object["service"] = service_json(event.service);
  object["role"] = named(event.role);
  object["port"] = nullable(event.port);
  object["attribution"] = model::to_string(event.attribution);
  object["local"] = endpoint_json(event.local_address, event.local_port);
  object["remote"] = endpoint_json(event.remote_address, event.remote_port);
  object["cookie"] = event.cookie == 0 ? Json(nullptr) : Json(fmt::format("{:x}", event.cookie));
  return to_line(object);
}

}  // namespace twtrace::output
