// SPDX-License-Identifier: Apache-2.0
#include "output/doctor_json.hpp"

#include "output/json_fields.hpp"

namespace twtrace::output {
namespace {

Json checks_json(const std::vector<model::DoctorCheck>& checks) {
  Json array = Json::array();
  for (const model::DoctorCheck& check : checks) {
    Json object{{"name", check.name}, {"ok", check.ok}};
    put_text(object, "detail", check.detail);
    array.push_back(std::move(object));
  }
  return array;
}

Json netns_json(const model::DoctorNetns& netns) {
  Json object{{"netns", netns.netns}};
  put_text(object, "name", netns.name);
  object["host"] = netns.host;
  object["pid"] = nullable(netns.pid);
  put_text(object, "path", netns.path);
  object["limit"] = nullable(netns.limit);
  object["in_use"] = nullable(netns.in_use);
  object["percent"] = nullable(model::percent_full(netns));
  object["overflow"] = nullable(netns.overflow);
  object["tcp_fin_timeout_s"] = nullable(netns.fin_timeout_s);
  object["tcp_tw_reuse"] = nullable(netns.tw_reuse);
  object["default_limit"] = nullable(netns.default_limit);
  return object;
}

Json warning_json(const model::DoctorWarning& warning) {
  Json object{{"id", warning.id}, {"netns", nullable(warning.netns)}};
  put_text(object, "text", warning.text);
  put_text(object, "change", warning.change);
  return object;
}

}  // namespace

std::string doctor_json(const model::DoctorReport& report) {
  Json object{{"schema", "twtrace.doctor/1"}, {"works", !report.backend.empty()}};
  object["host"] = host_json(report.host);
  put_text(object, "btf", report.btf);
  put_text(object, "backend", report.backend);
  object["backends"] = checks_json(report.backends);
  object["features"] = checks_json(report.features);
  object["capabilities"] = checks_json(report.capabilities);
  put_text(object, "lockdown", report.lockdown);
  put_text(object["cgroup"], "hierarchy", report.cgroup_hierarchy);
  put_text(object["cgroup"], "mount", report.cgroup_mount);
  object["bpf_stats_enabled"] = nullable(report.bpf_stats_enabled);
  object["namespaces"] = Json::array();
  for (const model::DoctorNetns& netns : report.namespaces) object["namespaces"].push_back(netns_json(netns));
  object["warnings"] = Json::array();
  for (const model::DoctorWarning& warning : report.warnings) object["warnings"].push_back(warning_json(warning));
  return to_line(object);
}

}  // namespace twtrace::output
