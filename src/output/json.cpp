// SPDX-License-Identifier: Apache-2.0
#include "output/json.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "base/format.hpp"
#include "output/json_fields.hpp"
#include "output/json_line.hpp"
#include "view/columns.hpp"

namespace twtrace::output {
namespace {

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
  if (!service.container.empty()) put_named(line, "container", service.container);
  if (!service.pod.empty()) {
    line.begin("pod");
    put_named(line, "namespace", service.pod.ns);
    put_named(line, "name", service.pod.name);
    put_named(line, "uid", service.pod.uid);
    line.end();
  }
  line.end();
}

void put_endpoint(JsonLine& line, std::string_view key, const std::string& address, std::uint16_t port) {
  line.begin(key);
  put_named(line, "address", address);
  line.number("port", port == 0 ? std::nullopt : std::optional(port));
  line.end();
}

void put_row_process(JsonLine& line, const std::optional<model::ProcessId>& process) {
  line.begin("process");
  if (process) {
    line.number("pid", process->pid);
    line.text("comm", process->comm);
    line.number("uid", process->uid);
    line.number("pids", process->pids);
    line.truth("exited", process->exited);
    line.hex("comm", process->comm);
  } else {
    for (const char* key : {"pid", "comm", "uid", "pids", "exited"}) line.null(key);
  }
  line.end();
}

template <class T>
void put_word(JsonLine& line, std::string_view key, const std::optional<T>& value) {
  value ? line.word(key, model::to_string(*value)) : line.null(key);
}

void put_peer(JsonLine& line, const std::optional<model::Peer>& peer) {
  if (!peer) return line.null("peer");
  line.begin("peer");
  put_named(line, "address", peer->address);
  line.number("port", peer->port);
  line.end();
}

void put_row_counts(JsonLine& line, const model::Counters& counts, bool removal_known) {
  line.number("created", counts.created());
  line.number("time_wait", counts.time_wait);
  line.number("fin_wait2", counts.fin_wait2);
  line.number("overflow", counts.overflow());
  line.number("overflow_time_wait", counts.overflow_time_wait);
  line.number("overflow_fin_wait2", counts.overflow_fin_wait2);
  line.number("no_memory", counts.no_memory);
  const auto put = [&](std::string_view key, std::uint64_t count) {
    removal_known ? line.number(key, count) : line.null(key);
  };
  put("reused", counts.reused);
  put("recycled", counts.recycled);
  put("expired", counts.expired);
  put("purged", counts.purged);
}

void put_row(JsonLine& line, const model::Row& row, const model::Snapshot& snapshot) {
  line.begin();
  line.number("netns", row.netns);
  put_row_process(line, row.process);
  row.service ? put_service(line, *row.service) : line.null("service");
  put_word(line, "role", row.role);
  line.number("port", row.port);
  if (snapshot.group == model::Group::kPeer) put_peer(line, row.peer);
  put_word(line, "attribution", row.attribution);
  put_row_counts(line, row.counts, snapshot.probe.sees_removal);
  line.number("live", row.live);
  line.number("created_per_s", rounded(row.created_per_s));
  line.number("overflow_per_s", rounded(row.overflow_per_s));
  line.word("kind", view::row_kind(row.kind));
  put_named(line, "netns_name", row.netns_name);
  line.end();
}

/// Thousands of rows per line: they are written straight into it.
std::string rows_json(const model::Snapshot& snapshot) {
  std::string rows = "[";
  JsonLine line(rows);
  for (const model::Row& row : snapshot.rows) put_row(line, row, snapshot);
  return rows += ']';
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
  std::string line = to_line(object);
  line.back() = ',';
  ((line += "\"rows\":") += rows_json(snapshot)) += ',';
  object = Json::object();
  object["lost"] = lost_json(snapshot.lost);
  object["cost"] = cost_json(snapshot.cost);
  object["rows_hidden"] = snapshot.rows_hidden;
  object["live_age_s"] = snapshot.live_age_s ? Json(rounded(*snapshot.live_age_s)) : Json(nullptr);
  return line += to_line(object).substr(1);
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
  put_word(line, "role", event.role);
  line.number("port", event.port);
  line.word("attribution", model::to_string(event.attribution));
  put_endpoint(line, "local", event.local_address, event.local_port);
  put_endpoint(line, "remote", event.remote_address, event.remote_port);
  event.cookie == 0 ? line.null("cookie") : line.word("cookie", fmt::format("{:x}", event.cookie));
  line.end();
}

}  // namespace twtrace::output
