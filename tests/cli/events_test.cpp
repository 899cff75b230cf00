// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <csignal>

#include "cli/cli.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/workload.hpp"

using namespace twtrace::test;
using nlohmann::json;

namespace {

const std::vector<std::string> kFields = {
    "age_s",   "attribution", "cookie", "count", "event",  "local",   "netns",    "netns_id", "netns_name",  "port",
    "process", "reason",      "remote", "role",  "schema", "service", "substate", "time",     "time_unix_ms"};

Arguments events_of(const Arena& arena, const Arguments& extra) {
  Arguments argv = {twtrace_binary(), "events", "--netns", std::to_string(arena.netns.inode())};
  argv.insert(argv.end(), extra.begin(), extra.end());
  return argv;
}

/// The lines about removals.
std::vector<json> removals(const Subprocess& process) {
  std::vector<json> found;
  const std::string text = process.standard_output();
  for (const std::string& line : lines(text.substr(0, text.rfind('\n') + 1))) {
    json event = json::parse(line);
    if (event.at("event") == "removed") found.push_back(std::move(event));
  }
  return found;
}

}  // namespace

TEST_CASE("events: one JSON object per bucket, as the kernel counted them") {
  if (!privileged()) return;
  Arena arena(Sysctls{{"tcp_max_tw_buckets", "10"}});
  Subprocess process(events_of(arena, {"--json"}));
  REQUIRE(process.wait_for_error("ready\n"));
  arena.run({"half-close", 23, 5017});
  process.signal(SIGTERM);
  REQUIRE(process.wait() == 0);
  int created = 0;
  int refused = 0;
  for (const std::string& line : lines(process.standard_output())) {
    const json event = json::parse(line);
    INFO(line);
    CHECK(keys(event) == kFields);
    CHECK(event.at("schema") == "twtrace.event/1");
    CHECK(event.at("netns") == arena.netns.inode());
    CHECK(event.at("port") == 5017);
    CHECK(event.at("count") == 1);
    created += event.at("event") == "created" ? 1 : 0;
    refused += event.at("event") == "overflow" ? 1 : 0;
  }
  CHECK(created == 10);
  CHECK(refused == 13);
}

TEST_CASE("events: text has titles, a time when asked, and one line per event") {
  if (!privileged()) return;
  Arena arena(Sysctls{});
  Subprocess process(events_of(arena, {"-t"}));
  REQUIRE(process.wait_for_error("ready\n"));
  arena.run({"half-close", 7, 5017});
  process.signal(SIGINT);
  REQUIRE(process.wait() == 0);
  const auto all = lines(process.standard_output());
  INFO(process.standard_output());
  REQUIRE(all.size() == 8);
  CHECK(std::count_if(all.begin(), all.end(),
                      [](const std::string& line) { return line.find("created") != std::string::npos; }) == 7);
}

TEST_CASE("events: a filter leaves the others out") {
  if (!privileged()) return;
  Arena arena(Sysctls{});
  const Arguments nobody = GENERATE(Arguments{"--comm", "no-such-name"}, Arguments{"-6"}, Arguments{"-L", "1"},
                                    Arguments{"--service", "no-such-service"});
  Arguments arguments = nobody;
  arguments.push_back("--json");
  Subprocess process(events_of(arena, arguments));
  REQUIRE(process.wait_for_error("ready\n"));
  arena.run({"half-close", 7, 5017});
  process.signal(SIGINT);
  REQUIRE(process.wait() == 0);
  CHECK(process.standard_output().empty());
}

TEST_CASE("events: removals pass the filter of their family, also where a scan finds them") {
  if (!privileged()) return;
  Arena arena(Sysctls{});
  Subprocess six(events_of(arena, {"-6", "--json"}));
  Subprocess four(events_of(arena, {"-4", "--json"}));
  REQUIRE(six.wait_for_error("ready\n"));
  REQUIRE(four.wait_for_error("ready\n"));
  arena.run({"half-close", 7, 5017, "6"});
  arena.netns.remove();
  CHECK(wait_until([&] { return removals(six).size() == 7; }));
  for (Subprocess* process : {&six, &four}) {
    process->signal(SIGINT);
    REQUIRE(process->wait() == 0);
  }
  CHECK(four.standard_output().empty());
}

TEST_CASE("events: a bucket from before the start has no age when it is removed") {
  if (!privileged()) return;
  Arena arena(Sysctls{});
  arena.run({"half-close", 7, 5017});
  Subprocess process(events_of(arena, {"--json"}));
  REQUIRE(process.wait_for_error("ready\n"));
  arena.netns.remove();
  CHECK(wait_until([&] { return removals(process).size() == 7; }));
  for (const json& event : removals(process)) {
    INFO(event.dump());
    CHECK(event.at("age_s").is_null());
    CHECK(event.at("process").at("pid").is_null());
  }
}
