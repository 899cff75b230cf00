// SPDX-License-Identifier: Apache-2.0
// The other formats and colours.
#include <algorithm>
#include <csignal>

#include "cli/cli.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/workload.hpp"

using namespace twtrace::test;
using nlohmann::json;

namespace {

/// The output of one interval. In it, a full table refused some buckets of a workload.
std::string output_of(const Arguments& arguments, const std::string& environment = "TWTRACE_UNUSED=1") {
  Arena arena(Sysctls{{"tcp_max_tw_buckets", "10"}});
  Arguments argv = {"env", environment, twtrace_binary(), "-b", "-d", "3600", "-g", "pid"};
  argv.insert(argv.end(), {"--netns", std::to_string(arena.netns.inode())});
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  Subprocess process(argv);
  INFO(process.standard_error());
  REQUIRE(process.wait_for_error("ready\n"));
  arena.run({"half-close", 23, 5017});
  process.signal(SIGINT);
  REQUIRE(process.wait() == 0);
  return process.standard_output();
}

bool is_coloured(const std::string& text) { return text.find('\x1b') != std::string::npos; }

}  // namespace

TEST_CASE("csv: a header once, then lines with as many cells") {
  if (!privileged()) return;
  const auto all = lines(output_of({"-o", "csv"}));
  REQUIRE(all.size() == 2);
  const auto cells = [](const std::string& line) { return std::count(line.begin(), line.end(), ',') + 1; };
  CHECK(all[0].rfind("time,kind,", 0) == 0);
  CHECK(cells(all[1]) == cells(all[0]));
  CHECK(all[1].find(",normal,") != std::string::npos);
  CHECK(all[1].find("5017") != std::string::npos);
}

TEST_CASE("openmetrics: whole texts, in which the workload's series are what it did") {
  if (!privileged()) return;
  const auto all = lines(output_of({"-g", "process", "-o", "openmetrics"}));
  std::uint64_t created = 0;
  std::uint64_t refused = 0;
  for (const std::string& line : all) {
    if (line.find(",port=\"5017\"") == std::string::npos) continue;
    INFO(line);
    CHECK(line.find("netns=\"other\",workload=\"") != std::string::npos);  // a namespace without a name
    const std::uint64_t value = std::stoull(line.substr(line.rfind(' ')));
    if (line.rfind("twtrace_time_wait_created_total{", 0) == 0) created += value;
    if (line.rfind("twtrace_time_wait_refused_total{", 0) == 0) refused += value;
  }
  CHECK(created == 10);
  CHECK(refused == 13);
  CHECK(all.back() == "# EOF");
  CHECK(std::count(all.begin(), all.end(), "# EOF") == 1);
  check_refused(run_twtrace({"-b", "-o", "openmetrics", "-r", "5"}), 2, "cannot be combined");
}

TEST_CASE("table: fits 80 columns and marks who was refused, and wide shows more") {
  if (!privileged()) return;
  const std::string out = output_of({"-o", "table"});
  INFO(out);
  const auto table = lines(out);
  for (const std::string& line : table) {
    INFO(line);
    CHECK(line.size() < 80);
  }
  const auto is_marked = [](const std::string& line) { return line.starts_with("!"); };
  const auto titles = std::find_if(table.begin(), table.end(),
                                   [](const std::string& line) { return line.find(" COMMAND ") != std::string::npos; });
  CHECK(std::count_if(table.begin(), titles, is_marked) == 1);  // the full table
  CHECK(std::count_if(titles, table.end(), is_marked) == 1);
  const auto wide = lines(output_of({"-o", "wide"}));
  const auto longest = [](const std::vector<std::string>& all) {
    std::size_t most = 0;
    for (const std::string& line : all) most = std::max(most, line.size());
    return most;
  };
  CHECK(longest(wide) > longest(table));
}

TEST_CASE("colour only when it is asked for: standard output is no terminal here") {
  if (!privileged()) return;
  CHECK_FALSE(is_coloured(output_of({})));
  CHECK_FALSE(is_coloured(output_of({"--color", "never"})));
  CHECK(is_coloured(output_of({"--color", "always"})));
}

// The flag wins over the environment.
TEST_CASE("NO_COLOR switches automatic colour off, not --color always") {
  if (!privileged()) return;
  CHECK_FALSE(is_coloured(output_of({"--color", "auto"}, "NO_COLOR=1")));
  CHECK(is_coloured(output_of({"--color", "always"}, "NO_COLOR=1")));
}

TEST_CASE("the lines above a table are about the namespaces that somebody asked for") {
  const std::string scene = TWTRACE_SCENES "/held.db";  // of "host" and "payments"
  const auto heads = [&](const Arguments& options) {
    Arguments arguments = {"replay", "-b", "-n", "1", scene};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const std::string out = run_twtrace(arguments).out;
    return std::pair(out.find("netns host ") != std::string::npos, out.find("netns payments ") != std::string::npos);
  };
  CHECK(heads({}) == std::pair(true, true));
  CHECK(heads({"--netns", "payments"}) == std::pair(false, true));
  CHECK(heads({"--netns", "pay*", "-o", "wide"}) == std::pair(false, true));
  CHECK(heads({"--netns", "host"}) == std::pair(true, false));
}

TEST_CASE("where no namespace matches, nothing is said to be in order") {
  if (!privileged()) return;
  const std::string words = "no network namespace matches 'no-such-*' yet";
  const std::string table = run_twtrace({"-b", "-d", "0.1", "-n", "1", "--netns", "no-such-*"}).out;
  CHECK(table.find("\n" + words + "\n") != std::string::npos);
  CHECK(table.find("refused") == std::string::npos);
  const json snapshot = json::parse(run_twtrace({"--json", "-d", "0.1", "-n", "1", "--netns", "no-such-*"}).out);
  CHECK(snapshot.at("warnings") == json::array({words}));
  const json nobody = json::parse(run_twtrace({"--json", "-d", "0.1", "-n", "1", "--comm", "no-such-comm"}).out);
  CHECK(nobody.at("warnings") == json::array({"no row matches the command-line filters"}));
}
