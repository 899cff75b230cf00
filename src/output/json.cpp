// SPDX-License-Identifier: Apache-2.0
#include "output/json.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "base/format.hpp"
#include "model/columns.hpp"
#include "output/json_fields.hpp"
#include "output/json_line.hpp"

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

void put_process(JsonLine& line, const model::Event& event) {
  const model::ProcessId* process = event.process ? &*event.process : nullptr;
  const std::string_view comm = process != nullptr ? std::string_view(process->comm) : std::string_view();
  line.begin("process");
  line.number("pid", process != nullptr ? process->pid : std::nullopt);
  line.text("comm", comm);
  line.number("uid", event.uid || process == nullptr ? event.uid : process->uid);
  line.hex("comm", comm);
  line.end();
}

void put_named(JsonLine& line, std::string_view key, const std::string& bytes) {
  line.text(key, bytes);
  line.hex(key, bytes);
}

void put_service(JsonLine& line, const base::Service& service) {
  line.begin("service");
  line.any_word("kind", service.kind);
  put_named(line, "name", service.name);
  put_named(line, "cgroup", service.cgroup);
  if (!service.pod.empty()) put_named(line, "pod", service.pod);
  if (!service.container.empty()) put_named(line, "container", service.container);
  line.end();
}

void put_endpoint(JsonLine& line, std::string_view key, const std::string& address, std::uint16_t port) {
  line.begin(key);
  put_named(line, "address", address);
  line.number("port", port == 0 ? std::nullopt : std::optional(port));
  line.end();
}

void put_reason(JsonLine& line, const model::Event& event) {
  const bool known = event.kind == model::Event::Kind::kRemoved && event.reason != model::Event::Reason::kUnknown;
  known ? line.word("reason", model::to_string(event.reason)) : line.null("reason");
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

void append_event_json(std::string& out, const model::Event& event) {
  JsonLine line(out);
  line.begin();
  line.word("schema", "twtrace.event/1");
  line.word("time", base::iso8601_ms(event.time_unix_ms));
  line.number("time_unix_ms", event.time_unix_ms);
  line.word("event", model::to_string(event.kind));
  line.word("substate", model::to_string(event.substate));
  put_reason(line, event);
  line.number("age_s", event.age_s);
  line.number("netns", event.netns);
  put_named(line, "netns_name", event.netns_name);
  put_process(line, event);
  put_service(line, event.service);
  event.role ? line.word("role", model::to_string(*event.role)) : line.null("role");
  line.number("port", event.port);
  line.word("attribution", model::to_string(event.attribution));
  put_endpoint(line, "local", event.local_address, event.local_port);
  put_endpoint(line, "remote", event.remote_address, event.remote_port);
  event.cookie == 0 ? line.null("cookie") : line.word("cookie", fmt::format("{:x}", event.cookie));
  line.end();
}

std::string event_json(const model::Event& event) {
  std::string line;
  append_event_json(line, event);
  return line;
}

}  // namespace twtrace::output
