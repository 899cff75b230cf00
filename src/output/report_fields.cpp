// SPDX-License-Identifier: Apache-2.0
#include "output/report_fields.hpp"

#include <cmath>

#include "base/format.hpp"
#include "view/columns.hpp"

namespace twtrace::output {
namespace {

Json time_or_null(const std::optional<std::int64_t>& unix_ms) {
  return unix_ms ? Json(base::iso8601_ms(*unix_ms)) : Json(nullptr);
}

Json command_json(const std::optional<model::CapturedCommand>& command) {
  if (!command) return nullptr;
  Json object;
  object["argv"] = Json::array();
  for (const std::string& word : command->argv) object["argv"].push_back(base::replace_invalid_utf8(word));
  object["started"] = time_or_null(command->started_unix_ms);
  object["ended"] = time_or_null(command->ended_unix_ms);
  object["exit_code"] = nullable(command->exit_code);
  object["signal"] = nullable(command->signal);
  return object;
}

Json pod_json(const base::Pod& pod) {
  Json object;
  put_text(object, "namespace", pod.ns);
  put_text(object, "name", pod.name);
  put_text(object, "uid", pod.uid);
  return object;
}

Json owner_json(const report::Report& report, const report::Verdict& verdict) {
  if (!verdict.owner || verdict.owner_count == 0) return nullptr;
  Json object;
  put_owner(object, report.owners[*verdict.owner].row);
  object["count"] = verdict.owner_count;
  object["share"] = rounded(verdict.owner_share);
  return object;
}

}  // namespace

Json finite(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? Json(rounded(*value)) : Json(nullptr);
}

void put_owner(Json& object, const model::Row& row) {
  object["kind"] = std::string(view::row_kind(row.kind));
  object["netns"] = nullable(row.netns);
  put_text(object, "netns_name", row.netns_name);
  put_text(object, "service", row.service ? row.service->name : std::string());
  object["service_kind"] = row.service ? Json(row.service->kind) : Json(nullptr);
  put_text(object, "cgroup", row.service ? row.service->cgroup : std::string());
  put_text(object, "container", row.service ? row.service->container : std::string());
  object["pod"] = row.service && !row.service->pod.empty() ? pod_json(row.service->pod) : Json(nullptr);
  put_text(object, "comm", row.process ? row.process->comm : std::string());
  object["pid"] = row.process ? nullable(row.process->pid) : Json(nullptr);
  object["pids"] = row.process ? Json(row.process->pids) : Json(nullptr);
  object["role"] = row.role ? Json(model::to_string(*row.role)) : Json(nullptr);
  object["port"] = nullable(row.port);
  object["attribution"] = row.attribution ? Json(model::to_string(*row.attribution)) : Json(nullptr);
}

Json capture_json(const report::Report& report) {
  const model::CaptureInfo& info = report.info;
  Json object;
  object["twtrace"] = info.twtrace_version;
  object["host"] = host_json(info.host);
  object["probe"] = probe_json(info.probe);
  object["command"] = command_json(info.command);
  object["begin"] = base::iso8601_ms(report.begin_unix_ms);
  object["begin_unix_ms"] = report.begin_unix_ms;
  object["end"] = base::iso8601_ms(report.end_unix_ms);
  object["end_unix_ms"] = report.end_unix_ms;
  object["seconds"] = rounded(report.seconds);
  object["samples"] = report.samples;
  object["complete"] = !report.cut();
  put_text(object, "read_error", report.read_error.value_or(""));
  object["totals"] = totals_json(report.totals, report.unattributed, info.probe.sees_removal);
  return object;
}

Json verdicts_json(const report::Report& report) {
  Json array = Json::array();
  for (const report::Verdict& verdict : report.verdicts) {
    Json object;
    put_text(object, "budget", verdict.budget.text);
    object["state"] = to_string(verdict.state);
    object["fails"] = verdict.fails();
    object["measured"] = finite(verdict.measured);
    put_text(object, "text", verdict.words);
    object["culprit"] = owner_json(report, verdict);
    array.push_back(std::move(object));
  }
  return array;
}

}  // namespace twtrace::output
