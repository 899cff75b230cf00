// SPDX-License-Identifier: Apache-2.0
#include "output/doctor_json.hpp"

#include "output/json_fields.hpp"

namespace twtrace::output {
namespace {

void put_checks(JsonWriter& json, std::string_view key, const std::vector<model::DoctorCheck>& checks) {
  json.objects(key, checks, [&](const model::DoctorCheck& check) {
    json.field("name", check.name);
    json.field("ok", check.ok);
    json.text("detail", check.detail);
  });
}

void put_netns(JsonWriter& json, const model::DoctorNetns& netns) {
  json.field("netns", netns.netns);
  json.text("name", netns.name);
  json.field("host", netns.host);
  json.field("pid", netns.pid);
  json.text("path", netns.path);
  json.field("limit", netns.limit);
  json.field("in_use", netns.in_use);
  json.field("percent", model::percent_full(netns));
  json.field("overflow", netns.overflow);
  json.field("tcp_fin_timeout_s", netns.fin_timeout_s);
  json.field("tcp_tw_reuse", netns.tw_reuse);
  json.field("tcp_timestamps", netns.timestamps);
  json.field("default_limit", netns.default_limit);
}

void put_warning(JsonWriter& json, const model::DoctorWarning& warning) {
  json.field("id", warning.id);
  json.field("netns", warning.netns);
  json.text("text", warning.text);
  json.text("change", warning.change);
}

}  // namespace

std::string doctor_json(const model::DoctorReport& report) {
  std::string line;
  JsonWriter json(line);
  json.object([&] {
    json.field("schema", "twtrace.doctor/1");
    json.field("works", !report.backend.empty());
    put_host(json, report.host);
    json.text("btf", report.btf);
    json.text("backend", report.backend);
    put_checks(json, "backends", report.backends);
    put_checks(json, "features", report.features);
    put_checks(json, "capabilities", report.capabilities);
    json.text("lockdown", report.lockdown);
    json.object("cgroup", [&] {
      json.text("hierarchy", report.cgroup_hierarchy);
      json.text("mount", report.cgroup_mount);
    });
    json.field("bpf_stats_enabled", report.bpf_stats_enabled);
    json.objects("namespaces", report.namespaces, [&](const model::DoctorNetns& netns) { put_netns(json, netns); });
    json.objects("warnings", report.warnings, [&](const model::DoctorWarning& warning) { put_warning(json, warning); });
  });
  return line;
}

}  // namespace twtrace::output
