// SPDX-License-Identifier: Apache-2.0
#include "output/json.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <optional>

#include "base/format.hpp"
#include "output/json_fields.hpp"
#include "view/columns.hpp"

namespace twtrace::output {
namespace {

/// In bytes: a snapshot with one namespace and a few rows.
constexpr std::size_t kUsualLine = 4096;

void put_forecast(JsonWriter& json, const model::Forecast& forecast) {
  if (forecast.state == model::Forecast::State::kUnknown) return json.field("forecast", nullptr);
  json.object("forecast", [&] {
    json.field("state", model::to_string(forecast.state));
    json.field("buckets", forecast.buckets);
    json.field("seconds", rounded(forecast.seconds));
  });
}

void put_netns(JsonWriter& json, const model::NetnsRow& row, const model::Sight& sees) {
  json.field("netns", row.netns);
  json.field("netns_id", row.id);
  json.text("name", row.name);
  json.field("limit", row.limit);
  json.field("in_use", row.in_use);
  json.field("pre_existing", row.pre_existing);
  json.field("created", row.counts.created());
  json.field("overflow", row.counts.overflow());
  json.field("no_memory", row.counts.no_memory);
  put_cross_check(json, row);
  json.field("gone", row.gone);
  put_counts(json, row.counts, sees, {"created", "overflow", "no_memory"});
  json.field("unattributed", row.unattributed.created());
  json.field("unattributed_overflow", row.unattributed.overflow());
  json.field("created_per_s", rounded(row.created_per_s));
  json.field("overflow_per_s", rounded(row.overflow_per_s));
  put_forecast(json, row.forecast);
}

void put_service(JsonWriter& json, const base::Service& service) {
  json.field("kind", service.kind);
  json.text("name", service.name);
  json.text("cgroup", service.cgroup);
  if (!service.container.empty()) json.text("container", service.container);
  if (!service.pod.empty()) json.object("pod", [&] { put_pod(json, service.pod); });
}

void put_process(JsonWriter& json, const model::Event& event) {
  const model::ProcessId process = event.process.value_or(model::ProcessId{});
  json.field("pid", process.pid);
  json.text("comm", process.comm);
  json.field("uid", event.uid ? event.uid : process.uid);
}

void put_endpoint(JsonWriter& json, std::string_view key, const std::string& address, std::uint16_t port) {
  json.object(key, [&] {
    json.text("address", address);
    json.field("port", port == 0 ? std::nullopt : std::optional(port));
  });
}

/// Of a group that merges processes: all unknown.
void put_process(JsonWriter& json, const std::optional<model::ProcessId>& process) {
  if (!process) {
    for (const char* key : {"pid", "comm", "uid", "pids", "exited"}) json.field(key, nullptr);
    return;
  }
  json.field("pid", process->pid);
  json.text("comm", process->comm);
  json.field("uid", process->uid);
  json.field("pids", process->pids);
  json.field("exited", process->exited);
}

void put_row(JsonWriter& json, const model::Row& row, const model::Snapshot& snapshot) {
  json.field("netns", row.netns);
  json.field("netns_id", row.netns ? std::optional(row.netns_id) : std::nullopt);
  if (row.kind == model::RowKind::kBeforeStart) {
    json.field("process", nullptr);
  } else {
    json.object("process", [&] { put_process(json, row.process); });
  }
  json.object_if("service", row.service, [&](const base::Service& service) { put_service(json, service); });
  json.field("role", word(row.role));
  json.field("port", row.port);
  json.field("ports", row.ports);
  if (snapshot.group == model::Group::kPeer) put_peer(json, "peer", row.peer);
  json.field("attribution", word(row.attribution));
  put_counts(json, row.counts, snapshot.probe.sees);
  json.field("live", row.live);
  json.field("created_per_s", rounded(row.created_per_s));
  json.field("overflow_per_s", rounded(row.overflow_per_s));
  json.field("kind", view::row_kind(row.kind));
  if (snapshot.group == model::Group::kNetns) json.field("namespaces", row.namespaces);
  json.text("netns_name", row.netns_name);
}

void put_log_lines(JsonWriter& json, const model::Snapshot& snapshot) {
  if (!snapshot.logs) return json.field("log_lines", nullptr);
  static const std::vector<model::LogLine> kNone;
  json.objects("log_lines", snapshot.log_lines ? *snapshot.log_lines : kNone, [&](const model::LogLine& line) {
    const model::Log& log = snapshot.logs->at(line.log);
    json.field("time", base::iso8601_ms(line.time_unix_ms));
    json.field("time_unix_ms", line.time_unix_ms);
    json.field("kind", to_string(log.kind));
    json.text("log", log.name);
    json.field("lines", line.lines);
    if (line.text) {
      json.text("text", *line.text);
    } else {
      json.field("text", nullptr);
    }
  });
}

std::optional<std::string_view> reason(const model::Event& event) {
  return event.has_reason() ? std::optional<std::string_view>(model::to_string(event.reason)) : std::nullopt;
}

}  // namespace

std::string snapshot_json(const model::Snapshot& snapshot, const std::vector<std::string>& warnings) {
  std::string line;
  line.reserve(kUsualLine);
  JsonWriter json(line);
  const model::Sight& sees = snapshot.probe.sees;
  json.object([&] {
    json.field("schema", "twtrace.snapshot/1");
    json.field("time", base::iso8601_ms(snapshot.time_unix_ms));
    json.field("time_unix_ms", snapshot.time_unix_ms);
    json.field("interval_s", rounded(snapshot.interval_s));
    json.field("uptime_s", rounded(snapshot.uptime_s));
    json.field("group", model::to_string(snapshot.group));
    put_host(json, snapshot.host);
    put_probe(json, snapshot.probe);
    put_totals(json, snapshot.totals, snapshot.unattributed, sees);
    put_namespaces(
        json, snapshot.namespaces, [](const model::NetnsRow& row) -> const model::NetnsRow& { return row; },
        [&](const model::NetnsRow& row) { put_netns(json, row, sees); });
    json.objects("rows", snapshot.rows, [&](const model::Row& row) { put_row(json, row, snapshot); });
    put_troubles(json, snapshot.troubles);
    json.texts("warnings", warnings);
    if (snapshot.queues) {
      json.objects("queues", *snapshot.queues, [&](const model::ListenQueue& queue) { put_queue(json, queue); });
    } else {
      json.field("queues", nullptr);
    }
    put_log_lines(json, snapshot);
    put_lost(json, snapshot.lost);
    put_cost(json, snapshot.cost);
    json.field("rows_hidden", snapshot.rows_hidden);
    json.field("live_age_s", rounded(snapshot.live_age_s));
  });
  return line;
}

void append_event_json(std::string& out, const model::Event& event) {
  JsonWriter json(out);
  json.object([&] {
    json.field("schema", "twtrace.event/1");
    json.field("time", base::iso8601_ms(event.time_unix_ms));
    json.field("time_unix_ms", event.time_unix_ms);
    json.field("event", model::to_string(event.kind));
    json.field("substate", event.has_substate() ? std::optional(model::to_string(event.substate)) : std::nullopt);
    json.field("reason", reason(event));
    json.field("age_s", event.age_s);
    json.field("count", event.count);
    json.field("netns", event.netns);
    json.field("netns_id", event.netns_id);
    json.text("netns_name", event.netns_name);
    json.object("process", [&] { put_process(json, event); });
    json.object("service", [&] { put_service(json, event.service); });
    json.field("role", word(event.role));
    json.field("port", event.port);
    json.field("attribution", model::to_string(event.attribution));
    put_endpoint(json, "local", event.local_address, event.local_port);
    put_endpoint(json, "remote", event.remote_address, event.remote_port);
    json.field("cookie", event.cookie == 0 ? std::nullopt : std::optional(fmt::format("{:x}", event.cookie)));
  });
}

}  // namespace twtrace::output
