// SPDX-License-Identifier: Apache-2.0
#include "output/openmetrics.hpp"

#include <map>
#include <set>
#include <sstream>

#include "support/catch.hpp"
#include "support/snapshots.hpp"
#include "support/tables.hpp"

using namespace twtrace;
using output::MetricFormat;

namespace {

std::string fold_text(MetricFormat format, const std::string& service = "worker.service",
                      const model::Sight& sees = {true, true, true, true, true, true}) {
  output::MetricLimits limits;
  limits.min_age_s = 0;
  output::MetricFold fold(limits);
  test::Tables tables;
  tables.namespaces[0].id = 7;
  tables.act({1,
              "redis-worker",
              service,
              model::Role::kClient,
              6379,
              {5011, 7, 1201, 3, 1, 11, 13, 17, 19, 30, 60, 29, 31, 21, 2, 4, 5, 6, 37, 7},
              7});
  model::Snapshot head = test::snapshot();
  head.rows.clear();
  head.probe.sees = sees;
  head.cost.bpf_run_ns_of = {{"on_close", 1'500'000'000}};
  fold.observe(head, model::CurrentSource(tables.table, tables.peers, tables.namespaces));
  return output::metrics_text(fold, {"0.1.0", "v0.1.0-3-gabc"}, output::ProcessMetrics{1.5, 4096, 12, 1024, 1767323000},
                              format);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

bool has_line(const std::string& text, const std::string& line) {
  const auto lines = lines_of(text);
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}

/// The value of a label in the first sample that has it, unescaped.
std::string unescaped(const std::string& text, const std::string& name) {
  std::string value;
  std::size_t at = text.find(name + "=\"") + name.size() + 2;
  for (; text[at] != '"'; ++at) {
    if (text[at] != '\\') {
      value += text[at];
    } else {
      ++at;
      value += text[at] == 'n' ? '\n' : text[at];
    }
  }
  return value;
}

}  // namespace

TEST_CASE("the series of a workload in the text format") {
  const std::string text = fold_text(MetricFormat::kText);
  const std::string who =
      R"(netns="host",workload="worker.service",workload_kind="systemd",comm="redis-worker",role="client",port="6379")";
  for (const std::string line : {
           "# TYPE twtrace_time_wait_created_total counter",
           "# TYPE twtrace_time_wait_live gauge",
           "# TYPE twtrace_build_info gauge",
           "twtrace_build_info{version=\"0.1.0\",commit=\"v0.1.0-3-gabc\",backend=\"fentry\"} 1",
           "twtrace_time_wait_buckets{netns=\"host\"} 4998",
           "twtrace_time_wait_buckets_limit{netns=\"host\"} 5000",
           "twtrace_time_wait_removed_total{netns=\"host\",how=\"expired\"} 11",
           "twtrace_netstat_tcp_time_wait_overflow_total{netns=\"host\"} 1204",
           "twtrace_missed_total{netns=\"host\",what=\"created\"} 0",
           "twtrace_samples_total 1",
           "twtrace_bpf_run_seconds_total{program=\"on_close\"} 1.5",
           "process_cpu_seconds_total 1.5",
           "process_resident_memory_bytes 4096",
       }) {
    INFO(line);
    CHECK(has_line(text, line));
  }
  CHECK(has_line(text, "twtrace_time_wait_created_total{" + who + "} 5018"));
  CHECK(has_line(text, "twtrace_time_wait_refused_total{" + who + R"(,stage="time_wait",reason="overflow"} 1201)"));
  CHECK(has_line(text, "twtrace_time_wait_refused_total{" + who + R"(,stage="fin_wait2",reason="overflow"} 3)"));
  CHECK(has_line(text, "twtrace_time_wait_refused_total{" + who + R"(,stage="",reason="no_memory"} 1)"));
  CHECK(has_line(text, "twtrace_time_wait_live{" + who + "} 5018"));
  CHECK(has_line(text, "twtrace_connect_no_port_total{" + who + "} 23"));
  CHECK(has_line(text, "twtrace_bind_no_port_total{" + who + "} 7"));
  CHECK(has_line(text, "twtrace_resets_received_total{" + who + R"(,felt="true"} 29)"));
  CHECK(has_line(text, "twtrace_resets_received_total{" + who + R"(,felt="false"} 31)"));
  CHECK(has_line(text, "twtrace_peer_resets_total{" + who + R"(,avoidable="true"} 21)"));
  CHECK(has_line(text, "twtrace_peer_resets_total{" + who + R"(,avoidable="false"} 10)"));
  CHECK(has_line(text, "twtrace_resets_sent_total{" + who + "} 48"));
  CHECK(has_line(text, "twtrace_listen_queue_drops_total{" + who + "} 37"));
  CHECK(text.find("# EOF") == std::string::npos);
  CHECK(text.find("# UNIT") == std::string::npos);
}

TEST_CASE("OpenMetrics names metrics without suffixes, has units, and ends") {
  const std::string text = fold_text(MetricFormat::kOpenMetrics);
  for (const std::string line : {
           "# TYPE twtrace_time_wait_created counter",
           "# TYPE twtrace_build_info gauge",
           "# TYPE process_cpu_seconds counter",
           "# UNIT process_cpu_seconds seconds",
           "# UNIT process_resident_memory_bytes bytes",
           "process_cpu_seconds_total 1.5",
           "twtrace_build_info{version=\"0.1.0\",commit=\"v0.1.0-3-gabc\",backend=\"fentry\"} 1",
       }) {
    INFO(line);
    CHECK(has_line(text, line));
  }
  CHECK(lines_of(text).back() == "# EOF");
  CHECK(text.find("_created ") != std::string::npos);  // as metadata only: there are no samples with that name
  for (const std::string& line : lines_of(text)) CHECK(line.find("_created{") == std::string::npos);
}

TEST_CASE("every metric has one HELP and one TYPE before its samples, and no series comes twice") {
  for (const MetricFormat format : {MetricFormat::kText, MetricFormat::kOpenMetrics}) {
    std::set<std::string> typed;
    std::set<std::string> series;
    std::string metric;
    for (const std::string& line : lines_of(fold_text(format))) {
      INFO(line);
      if (line == "# EOF") continue;
      std::istringstream words(line);
      std::string hash;
      std::string what;
      std::string name;
      if (line[0] == '#') {
        words >> hash >> what >> name;
        if (what == "HELP") CHECK(typed.insert(metric = name).second);
        CHECK(name == metric);
        continue;
      }
      CHECK(line.rfind(metric, 0) == 0);
      CHECK(series.insert(line.substr(0, line.rfind(' '))).second);
      for (const char c : line.substr(0, line.find_first_of("{ "))) CHECK((std::isalnum(c) != 0 || c == '_'));
    }
  }
}

TEST_CASE("hostile names come back as label_text made them") {
  for (const std::string& name :
       {std::string("a\"b\\c\nd"), std::string("x\",y=\"z"), std::string("\\"), std::string("\\n"), std::string("\n\n"),
        std::string("}{ 1\n# EOF"), std::string("\xf0\x9f\x90\x98 \xff"), std::string("\0\x1b", 2)}) {
    for (const MetricFormat format : {MetricFormat::kText, MetricFormat::kOpenMetrics}) {
      const std::string all = fold_text(format, name);
      const std::string text = all.substr(all.rfind("\n", all.find("comm=\"redis-worker\"")));
      CHECK(unescaped(text, "workload") == output::label_text(name));
    }
  }
}

TEST_CASE("what a backend does not see is not exported") {
  for (const auto& [metric, sees] :
       std::map<std::string, model::Sight>{{"removed", {false, true, true}},
                                           {"no_port", {true, false, true}},
                                           {"resets_received", {true, true, false}},
                                           {"peer_resets", {true, true, true, false}},
                                           {"resets_sent", {true, true, true, false}},
                                           {"queue_drops", {true, true, true, true}},
                                           {"bind_no_port", {true, true, true, true, true}}}) {
    INFO(metric);
    CHECK(fold_text(MetricFormat::kText, "a", sees).find(metric) == std::string::npos);
    CHECK(fold_text(MetricFormat::kText, "a").find(metric) != std::string::npos);
  }
}

TEST_CASE("without a sample there is nothing, and without a process nothing of it") {
  const output::MetricFold fold({});
  CHECK(output::metrics_text(fold, {}, std::nullopt, MetricFormat::kText).empty());
  CHECK(output::metrics_text(fold, {}, std::nullopt, MetricFormat::kOpenMetrics) == "# EOF\n");
}
