// SPDX-License-Identifier: Apache-2.0
#include "output/report_fields.hpp"

#include "base/format.hpp"
#include "view/columns.hpp"

namespace twtrace::output {
namespace {

std::optional<std::string> time(const std::optional<std::int64_t>& unix_ms) {
  return unix_ms ? std::optional(base::iso8601_ms(*unix_ms)) : std::nullopt;
}

void put_command(JsonWriter& json, const model::CapturedCommand& command) {
  json.texts("argv", command.argv);
  json.field("started", time(command.started_unix_ms));
  json.field("ended", time(command.ended_unix_ms));
  json.field("exit_code", command.exit_code);
  json.field("signal", command.signal);
}

void put_culprit(JsonWriter& json, const report::Verdict& verdict) {
  json.object_if("culprit", verdict.culprit, [&](const model::Row& culprit) {
    put_owner(json, culprit);
    json.field("count", verdict.culprit_count);
    json.field("share", rounded(verdict.culprit_share));
  });
}

}  // namespace

void put_owner(JsonWriter& json, const model::Row& row) {
  const base::Service service = row.service.value_or(base::Service{});
  const model::ProcessId process = row.process.value_or(model::ProcessId{});
  json.field("kind", view::row_kind(row.kind));
  json.field("netns", row.netns);
  json.field("netns_id", row.netns_id);
  json.text("netns_name", row.netns_name);
  json.text("service", service.name);
  json.field("service_kind", row.service ? std::optional(service.kind) : std::nullopt);
  json.text("cgroup", service.cgroup);
  json.text("container", service.container);
  if (service.pod.empty()) {
    json.field("pod", nullptr);
  } else {
    json.object("pod", [&] { put_pod(json, service.pod); });
  }
  json.text("comm", process.comm);
  json.field("pid", process.pid);
  json.field("pids", row.process ? std::optional(process.pids) : std::nullopt);
  json.field("role", word(row.role));
  json.field("port", row.port);
  json.field("attribution", word(row.attribution));
}

void put_capture(JsonWriter& json, const report::Report& report) {
  const model::CaptureInfo& info = report.info;
  json.field("twtrace", info.twtrace_version);
  put_host(json, info.host);
  put_probe(json, info.probe);
  json.object_if("command", info.command, [&](const model::CapturedCommand& command) { put_command(json, command); });
  json.field("begin", base::iso8601_ms(report.begin_unix_ms));
  json.field("begin_unix_ms", report.begin_unix_ms);
  json.field("end", base::iso8601_ms(report.end_unix_ms));
  json.field("end_unix_ms", report.end_unix_ms);
  json.field("seconds", rounded(report.seconds));
  json.field("samples", report.samples);
  json.field("complete", !report.cut());
  json.text("missing", report::missing(report));
  if (const std::string clock = report::clock_words(report); !clock.empty()) json.text("clock", clock);
  if (!report.selection.empty()) json.text("selection", report.selection);
  json.text("read_error", report.read_error.value_or(""));
  put_totals(json, report.totals, report.unattributed, info.probe.sees);
}

void put_verdicts(JsonWriter& json, const report::Report& report) {
  json.objects("verdicts", report.verdicts, [&](const report::Verdict& verdict) {
    json.text("budget", verdict.budget.text);
    json.field("state", to_string(verdict.state));
    json.field("fails", verdict.fails());
    json.field("measured", rounded(verdict.measured));
    json.text("text", verdict.words);
    put_culprit(json, verdict);
  });
}

}  // namespace twtrace::output
