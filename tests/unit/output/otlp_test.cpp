// SPDX-License-Identifier: Apache-2.0
#include "output/otlp.hpp"

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "support/catch.hpp"
#include "support/snapshots.hpp"
#include "support/tables.hpp"

using namespace twtrace;
using nlohmann::json;

namespace {

std::string document(const std::string& service = "worker.service") {
  output::MetricLimits limits;
  limits.min_age_s = 0;
  output::MetricFold fold(limits);
  test::Tables tables;
  tables.namespaces[0].id = 7;
  const model::Counters counts = {5011, 7, 1201, 3, 1, 11, 13, 17, 19, 23, 60, 29};
  tables.act({1, "redis-worker", service, model::Role::kClient, 6379, counts, 7});
  model::Snapshot head = test::snapshot();
  head.rows.clear();
  head.probe.sees = {true, true, true};
  head.cost.bpf_run_ns_of = {{"on_close", 1'500'000'000}};
  fold.observe(head, model::CurrentSource(tables.table, tables.peers, tables.namespaces));
  return output::otlp_metrics(fold, {"0.1.0", "abc"}, output::ProcessMetrics{1.5, 4096, 12, 1024, 1767323000},
                              {{{"service.name", "a\"b"}, {"host.name", "web1"}}, 1'000'000'007, 2'000'000'011});
}

json metrics_of(const json& request) { return request["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]; }

json metric_named(const json& request, const std::string& name) {
  for (const json& metric : metrics_of(request)) {
    if (metric["name"] == name) return metric;
  }
  FAIL(name);
  return {};
}

std::map<std::string, std::string> attributes_of(const json& holder) {
  std::map<std::string, std::string> attributes;
  for (const json& one : holder["attributes"]) {
    CHECK(attributes.emplace(one["key"], one["value"]["stringValue"]).second);
  }
  return attributes;
}

/// The only point that has these attributes, among others.
json point_of(const json& points, const std::map<std::string, std::string>& wanted) {
  std::vector<json> found;
  for (const json& point : points) {
    const auto all = attributes_of(point);
    if (std::includes(all.begin(), all.end(), wanted.begin(), wanted.end())) found.push_back(point);
  }
  REQUIRE(found.size() == 1);
  return found[0];
}

}  // namespace

TEST_CASE("a document names the resource and the scope") {
  const json request = json::parse(document());
  REQUIRE(request["resourceMetrics"].size() == 1);
  CHECK(attributes_of(request["resourceMetrics"][0]["resource"]) ==
        std::map<std::string, std::string>{{"service.name", "a\"b"}, {"host.name", "web1"}});
  CHECK(request["resourceMetrics"][0]["scopeMetrics"][0]["scope"] == json{{"name", "twtrace"}, {"version", "0.1.0"}});
}

TEST_CASE("a counter is a cumulative, monotonic sum with whole numbers as texts") {
  const json refused = metric_named(json::parse(document()), "twtrace.time_wait_refused");
  CHECK(refused["sum"]["aggregationTemporality"] == 2);
  CHECK(refused["sum"]["isMonotonic"] == true);
  CHECK(refused["unit"] == "");
  CHECK(refused["description"].get<std::string>().find("TcpExtTCPTimeWaitOverflow") != std::string::npos);
  const json point = point_of(refused["sum"]["dataPoints"],
                              {{"workload", "worker.service"}, {"stage", "fin_wait2"}, {"reason", "overflow"}});
  CHECK(point["asInt"] == "3");
  CHECK(point["startTimeUnixNano"] == "1000000007");
  CHECK(point["timeUnixNano"] == "2000000011");
  CHECK(attributes_of(point) == std::map<std::string, std::string>{{"netns", "host"},
                                                                   {"workload", "worker.service"},
                                                                   {"workload_kind", "systemd"},
                                                                   {"comm", "redis-worker"},
                                                                   {"role", "client"},
                                                                   {"port", "6379"},
                                                                   {"stage", "fin_wait2"},
                                                                   {"reason", "overflow"}});
}

TEST_CASE("a gauge has a time and no start") {
  const json buckets = metric_named(json::parse(document()), "twtrace.time_wait_buckets");
  const json point = point_of(buckets["gauge"]["dataPoints"], {{"netns", "host"}});
  CHECK(point["asInt"] == "4998");
  CHECK_FALSE(point.contains("startTimeUnixNano"));
}

TEST_CASE("units are apart from the names, and the process has the names of the conventions") {
  const json request = json::parse(document());
  const json run = metric_named(request, "twtrace.bpf_run");
  CHECK(run["unit"] == "s");
  CHECK(run["sum"]["dataPoints"][0]["asDouble"] == 1.5);
  const json cpu = metric_named(request, "process.cpu.time");
  CHECK(cpu["unit"] == "s");
  CHECK(cpu["sum"]["isMonotonic"] == true);
  const json memory = metric_named(request, "process.memory.usage");
  CHECK(memory["unit"] == "By");
  CHECK(memory["sum"]["isMonotonic"] == false);
  CHECK(memory["sum"]["dataPoints"][0]["asInt"] == "4096");
  std::set<std::string> names;
  for (const json& metric : metrics_of(request)) {
    CHECK(names.insert(metric["name"]).second);
    const bool is_ours = metric["name"].get<std::string>().rfind("twtrace.", 0) == 0;
    CHECK((is_ours || metric["name"].get<std::string>().rfind("process.", 0) == 0));
    const json& data = metric.contains("sum") ? metric["sum"] : metric["gauge"];
    CHECK_FALSE(data["dataPoints"].empty());
  }
  CHECK(names.count("twtrace.build_info") == 1);
}

TEST_CASE("hostile names are JSON, and come back as label_text made them") {
  for (const std::string& name : {std::string("a\"b\\c\nd"), std::string("]}}"), std::string("\xf0\x9f\x90\x98 \xff"),
                                  std::string("\0\x1b", 2), std::string("{{}}{}")}) {
    const json request = json::parse(document(name));
    const json created = metric_named(request, "twtrace.time_wait_created");
    const json point = point_of(created["sum"]["dataPoints"], {{"comm", "redis-worker"}});
    CHECK(attributes_of(point).at("workload") == output::label_text(name));
    CHECK(point["asInt"] == "5018");
  }
}

TEST_CASE("without a sample there are no metrics") {
  const output::MetricFold fold{output::MetricLimits{}};
  const json request = json::parse(output::otlp_metrics(fold, {"0.1.0", ""}, std::nullopt, {}));
  CHECK(metrics_of(request).empty());
}
