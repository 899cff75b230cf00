// SPDX-License-Identifier: Apache-2.0
// Little memory and few open files. twtrace runs with less, or says what it lacks before it starts.
#include <algorithm>
#include <csignal>

#include "cli/cli.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/memory_cgroup.hpp"
#include "support/workload.hpp"
#include "unit/kernel/temp_tree.hpp"

using namespace twtrace::test;
using nlohmann::json;

namespace {

constexpr std::uint64_t kMiB = 1U << 20U;

Outcome run_in(const MemoryCgroup& cgroup, const Arguments& arguments) {
  Arguments argv = {twtrace_binary()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run_program(cgroup.around(argv));
}

}  // namespace

TEST_CASE("in 64 MiB every command that traces runs, and says which maps are smaller") {
  if (!privileged()) return;
  const twtrace::kernel::TempTree tree;
  const std::vector<Arguments> commands = {
      {"-b", "--json", "-d", "0.2", "-n", "2"},
      {"capture", "-o", tree / "x.db", "-d", "0.2", "--duration", "0.5"},
      {"doctor"},
      {"demo", "-b", "-d", "0.2", "-n", "2"},
  };
  for (const Arguments& command : commands) {
    INFO(command.front());
    const auto cgroup = MemoryCgroup::make(64 * kMiB);
    if (!cgroup) return;
    const Outcome outcome = run_in(*cgroup, command);
    INFO(describe(outcome));
    CHECK(outcome.code == 0);
    // The maps of a backend that does not work here are freed before the next backend makes its maps.
    CHECK(cgroup->times_at_limit() == 0);
    const auto said = lines(outcome.err);
    const auto is_notice = [&](const std::string& line) {
      return line.rfind("twtrace: " + cgroup->limit_file() + " leaves ", 0) == 0 &&
             line.find("maps hold only ") != std::string::npos && line.find(" owners") != std::string::npos;
    };
    CHECK(std::count_if(said.begin(), said.end(), is_notice) == 1);
  }
}

TEST_CASE("in 64 MiB the counts are the kernel's and every owner is named") {
  if (!privileged()) return;
  constexpr int kBuckets = 997;
  const auto cgroup = MemoryCgroup::make(64 * kMiB);
  if (!cgroup) return;
  Subprocess process(cgroup->around({twtrace_binary(), "-b", "--json", "-g", "pid", "-d", "0.2"}));
  REQUIRE(process.wait_for_error("ready\n"));
  Arena arena(Sysctls{{"tcp_fin_timeout", "120"}});
  arena.run({"client-first", kBuckets, 5031});
  process.signal(SIGINT);
  INFO(process.standard_error());
  REQUIRE(process.wait() == 0);
  const json snapshot = json::parse(lines(process.standard_output()).back());
  std::int64_t in_rows = 0;
  for (const json& row : snapshot.at("rows")) {
    if (row.at("netns") != arena.netns.inode()) continue;
    CHECK(row.at("attribution") == "closer");
    in_rows += row.at("created").get<std::int64_t>();
  }
  CHECK(in_rows == kBuckets);
  for (const json& netns : snapshot.at("namespaces")) {
    if (netns.at("netns") != arena.netns.inode()) continue;
    CHECK(netns.at("created") == kBuckets);
    CHECK(netns.at("kernel").at("created") == kBuckets);
  }
  CHECK(snapshot.at("lost").at("rows_full") == 0);
}

TEST_CASE("in 32 MiB it says what it needs, and that suffices") {
  if (!privileged()) return;
  const auto cgroup = MemoryCgroup::make(32 * kMiB);
  if (!cgroup) return;
  for (const Arguments& command : {Arguments{"-b", "-n", "1"}, Arguments{"events"}, Arguments{"doctor"}}) {
    const Outcome outcome = run_in(*cgroup, command);
    check_refused(outcome, 77, cgroup->limit_file());
    CHECK(outcome.err.find("tracing needs ") != std::string::npos);
  }
  const std::string said = run_in(*cgroup, {"-b", "-n", "1"}).err;
  const std::size_t hint = said.find("MemoryMax=");
  REQUIRE(hint != std::string::npos);
  const auto enough = MemoryCgroup::make(std::stoull(said.substr(hint + 10)) * kMiB);
  REQUIRE(enough);
  const Outcome outcome = run_in(*enough, {"-b", "-d", "0.2", "-n", "1"});
  INFO(describe(outcome));
  CHECK(outcome.code == 0);
}

TEST_CASE("what needs no tracing needs no memory for it") {
  if (!privileged()) return;
  const auto cgroup = MemoryCgroup::make(16 * kMiB);
  if (!cgroup) return;
  CHECK(run_in(*cgroup, {"--help"}).code == 0);
  check_refused(run_in(*cgroup, {"report", "/no/such/file.db"}), 1, "/no/such/file.db");
}

TEST_CASE("too few open files are named, and the limit that is allowed is taken") {
  if (!privileged()) return;
  for (const auto& [limit, command] : {std::pair<std::string, std::string>{"24", "-b -n 1"},
                                       {"24", "events"},
                                       {"24", "doctor"},
                                       {"8", "-b -n 1"},
                                       {"8", "capture --duration 1 -o /tmp/x.db"},
                                       {"9", "capture --duration 1 -o /tmp/x.db"}}) {
    INFO(limit << " files for " << command);
    const Outcome outcome = run_shell("ulimit -n " + limit + "; exec \"$0\" " + command);
    check_refused(outcome, 77, "RLIMIT_NOFILE");
    CHECK(outcome.err.find(" " + limit + ",") != std::string::npos);
    CHECK(outcome.err.find("ulimit -n 1024") != std::string::npos);
  }
  const Outcome soft = run_shell("ulimit -Sn 24; exec \"$0\" -b -d 0.2 -n 1");
  INFO(describe(soft));
  CHECK(soft.code == 0);
}
