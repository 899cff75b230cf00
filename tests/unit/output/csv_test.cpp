// SPDX-License-Identifier: Apache-2.0
#include "output/csv.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/snapshots.hpp"

using namespace twtrace;

namespace {

// A small RFC 4180 reader: the cells of one line, unquoted.
std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> all(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (quoted && line[i] == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      all.back() += line[++i];
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      all.emplace_back();
    } else {
      all.back() += line[i];
    }
  }
  return all;
}

// The only row of `snapshot`, by column name.
std::map<std::string, std::string> only_row(const model::Snapshot& snapshot) {
  const std::string body = output::snapshot_csv(snapshot);
  REQUIRE(std::count(body.begin(), body.end(), '\n') == 1);
  std::string header = output::csv_header(snapshot.group);
  header.pop_back();
  const std::vector<std::string> names = cells(header);
  const std::vector<std::string> values = cells(body.substr(0, body.size() - 1));
  REQUIRE(names.size() == values.size());
  std::map<std::string, std::string> row;
  for (std::size_t i = 0; i < names.size(); ++i) row[names[i]] = values[i];
  REQUIRE(row.size() == names.size());  // no name twice
  return row;
}

}  // namespace

TEST_CASE("csv of a process row, golden") {
  CHECK(output::csv_header(model::Group::kProcess) ==
        "time,kind,pid,comm,service,role,port,created_per_s,created,overflow,live,pids,uid,exited,netns,netns_id,netns_"
        "name,"
        "service_kind,attribution,overflow_per_s,time_wait,fin_wait2,overflow_time_wait,overflow_fin_wait2,no_memory,"
        "expired,reused,recycled,purged,no_port,resets_received,resets_felt,peer_resets,peer_resets_avoidable,resets_"
        "sent,resets_"
        "aborted,queue_drops,pod,container,cgroup\n");
  CHECK(output::snapshot_csv(test::snapshot()) ==
        "2026-01-02T03:04:05.678Z,normal,812,redis-worker,worker.service,client,6379,812.400,5018,1204,4903,1,33,no,"
        "4026531840,7,host,systemd,closer,312.000,5011,7,1201,3,0,11,13,17,19,23,29,27,31,21,48,4,37,,,/system.slice/"
        "worker.service\n");
}

TEST_CASE("every group has one cell per header name") {
  for (const model::Group group : {model::Group::kProcess, model::Group::kPid, model::Group::kService,
                                   model::Group::kPort, model::Group::kPeer, model::Group::kNetns}) {
    INFO(model::to_string(group));
    CHECK(only_row(test::snapshot(group))["created"] == "5018");
  }
}

TEST_CASE("unknown and merged are empty cells, not zeros") {
  model::Snapshot snapshot = test::snapshot();
  snapshot.probe.sees.removal = false;
  snapshot.rows[0].live.reset();
  snapshot.rows[0].process = model::ProcessId{{}, "nginx", {}, 4, false};
  auto row = only_row(snapshot);
  for (const char* name : {"expired", "reused", "recycled", "purged", "live", "pid", "uid"}) {
    INFO(name);
    CHECK(row.at(name).empty());
  }
  CHECK(row["pids"] == "4");
  CHECK(row["no_memory"] == "0");
}

TEST_CASE("hostile names are guarded, quoted and on one line") {
  model::Snapshot snapshot = test::snapshot();
  snapshot.rows[0].process->comm = "=cmd(),\"x\"";
  snapshot.rows[0].service->name = "a\nb\x1b";
  snapshot.rows[0].service->cgroup = "\t=1";
  snapshot.rows[0].netns_name = "-2+3";
  auto row = only_row(snapshot);
  CHECK(row["comm"] == "'=cmd(),\"x\"");
  CHECK(row["service"] == "a\\x0Ab\\x1B");
  CHECK(row["cgroup"] == "\\x09=1");
  CHECK(row["netns_name"] == "'-2+3");
  CHECK(output::snapshot_csv(snapshot).find(",\"'=cmd(),\"\"x\"\"\",") != std::string::npos);
}

TEST_CASE("the kind of a row tells it from a process of that name") {
  model::Snapshot snapshot = test::snapshot();
  snapshot.rows[0].process->comm = "(other)";
  CHECK(only_row(snapshot)["kind"] == "normal");
  snapshot.rows[0].kind = model::RowKind::kOther;
  CHECK(only_row(snapshot)["kind"] == "other");
  snapshot.group = model::Group::kNetns;
  snapshot.rows[0].kind = model::RowKind::kGone;
  snapshot.rows[0].netns.reset();
  snapshot.rows[0].namespaces = 12345;
  auto gone = only_row(snapshot);
  CHECK(gone["kind"] == "gone");
  CHECK(gone["namespaces"] == "12345");
  CHECK(gone["netns"].empty());
  CHECK(gone["netns_id"].empty());
  snapshot.rows.clear();
  CHECK(output::snapshot_csv(snapshot).empty());
}
