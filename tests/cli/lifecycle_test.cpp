// SPDX-License-Identifier: Apache-2.0
// From "ready" to the end. Tests what a script can rely on, and that nothing remains in the kernel.
#include <bpf/bpf.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>

#include "cli/cli.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"

using namespace twtrace::test;
using nlohmann::json;

namespace {

Arguments endless(const std::string& delay) { return {twtrace_binary(), "-b", "--json", "-d", delay}; }

/// The BPF objects that a process holds. `field` is their name in /proc/PID/fdinfo: "prog_id:", "link_id:", "map_id:".
std::set<std::uint32_t> held_by(pid_t pid, const std::string& field) {
  std::set<std::uint32_t> ids;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fdinfo")) {
    std::ifstream file(entry.path());
    for (std::string word; file >> word;) {
      std::uint32_t id = 0;
      if (word == field && file >> id) ids.insert(id);
    }
  }
  return ids;
}

/// The number of objects that still exist.
template <class Open>
std::size_t alive(const std::set<std::uint32_t>& ids, Open open) {
  std::size_t count = 0;
  for (const std::uint32_t id : ids) {
    const twtrace::base::UniqueFd fd(open(id));
    count += fd ? 1U : 0U;
  }
  return count;
}

}  // namespace

TEST_CASE("ready comes before the first line, the first line after the first interval") {
  if (!privileged()) return;
  Subprocess process(endless("1.5"));
  REQUIRE(process.wait_for_error("ready\n"));
  CHECK(process.standard_output().empty());
  REQUIRE(process.wait_for_output("\n"));
  CHECK(process.standard_error() == "ready\n");
  process.signal(SIGINT);
  CHECK(process.wait() == 0);
}

TEST_CASE("a signal prints the last partial interval and ends with success") {
  if (!privileged()) return;
  const int signal = GENERATE(SIGINT, SIGTERM, SIGHUP);
  Subprocess process(endless("3600"));
  REQUIRE(process.wait_for_error("ready\n"));
  process.signal(signal);
  REQUIRE(process.wait(milliseconds(20000)) == 0);
  CHECK(process.standard_error() == "ready\n");
  const auto all = lines(process.standard_output());
  REQUIRE(all.size() == 1);
  CHECK(json::parse(all[0]).at("interval_s") < 60);
}

TEST_CASE("started with nohup it goes on after the terminal's end") {
  if (!privileged()) return;
  Subprocess process({"sh", "-c", "trap '' HUP; exec \"$0\" -b --json -d 3600", twtrace_binary()});
  REQUIRE(process.wait_for_error("ready\n"));
  process.signal(SIGHUP);
  CHECK_FALSE(process.wait(milliseconds(500)));
  process.signal(SIGTERM);
  CHECK(process.wait() == 0);
  CHECK(lines(process.standard_output()).size() == 1);
}

TEST_CASE("nothing is left in the kernel, however it ends") {
  if (!privileged()) return;
  const int signal = GENERATE(SIGINT, SIGKILL);
  Subprocess process(endless("3600"));
  REQUIRE(process.wait_for_error("ready\n"));
  const auto programs = held_by(process.pid(), "prog_id:");
  const auto links = held_by(process.pid(), "link_id:");
  const auto maps = held_by(process.pid(), "map_id:");
  const auto left = [&] {
    return alive(programs, bpf_prog_get_fd_by_id) + alive(links, bpf_link_get_fd_by_id) +
           alive(maps, bpf_map_get_fd_by_id);
  };
  REQUIRE_FALSE(programs.empty());
  REQUIRE_FALSE(maps.empty());
  REQUIRE(left() >= programs.size() + maps.size());
  process.signal(signal);
  REQUIRE(process.wait());
  // The kernel frees them after a grace period.
  CHECK(wait_until([&] { return left() == 0; }, milliseconds(20000)));
}

// A namespace file that is mounted over can be found, but not entered, like one that disappears during the start.
TEST_CASE("a namespace that cannot be reached any more is left out") {
  if (!privileged()) return;
  const std::string script =
      "set -e; mount -t tmpfs none /mnt; touch /mnt/x; unshare --net=/mnt/x true; unshare --net=/mnt/x true; exec " +
      twtrace_binary() + " -b --json -n 1 -d 0.05";
  const Outcome outcome = run_program({"unshare", "-m", "sh", "-c", script});
  INFO(describe(outcome));
  CHECK(outcome.code == 0);
  CHECK(outcome.err == "ready\n");
  CHECK(lines(outcome.out).size() == 1);
}

TEST_CASE("a run that is refused after loading leaves nothing either") {
  if (!privileged()) return;
  Subprocess process({twtrace_binary(), "--netns", "no-such-netns", "-b"});
  std::set<std::uint32_t> programs;
  while (!process.wait(milliseconds(0))) {
    std::error_code gone;
    if (!std::filesystem::exists("/proc/" + std::to_string(process.pid()) + "/fdinfo", gone)) continue;
    try {
      programs.merge(held_by(process.pid(), "prog_id:"));
    } catch (const std::filesystem::filesystem_error&) {
      continue;  // it has just ended
    }
  }
  CHECK(process.wait() == 1);
  CHECK(wait_until([&] { return alive(programs, bpf_prog_get_fd_by_id) == 0; }, milliseconds(20000)));
}
