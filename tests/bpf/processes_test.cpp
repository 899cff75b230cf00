// SPDX-License-Identifier: Apache-2.0
// twtrace asks the kernel which processes live, not its own /proc and clocks. So it also works in a PID namespace and
// in a time namespace of its own. It gives the rows of ended processes back, however long an interval is.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"
#include "bpf/expect.hpp"
#include "support/bpf_maps.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/inside_netns.hpp"
#include "support/tcp_pairs.hpp"
#include "support/twtrace_run.hpp"

using namespace twtrace;
using namespace twtrace::test;
using nlohmann::json;

namespace {

constexpr std::uint16_t kPort = 5027;

/// Leaves `count` buckets of a process that ends at once. The clients close first. Returns its pid.
int leave_buckets_and_end(int netns, std::size_t count) {
  const pid_t child = fork();
  if (child == 0) {
    leave_buckets_in(netns, kPort, count);
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  return child;
}

/// twtrace in new namespaces made by unshare(1). Empty if this unshare does not know such namespaces.
class Unshared {
 public:
  Unshared(const std::vector<std::string>& namespaces, const std::vector<std::string>& arguments)
      : process_(command_line(namespaces, arguments)) {
    REQUIRE(process_.wait_for_error("ready\n"));
    std::ifstream children("/proc/" + std::to_string(process_.pid()) + "/task/" + std::to_string(process_.pid()) +
                           "/children");
    REQUIRE(children >> twtrace_);
  }
  Unshared(const Unshared&) = delete;
  Unshared& operator=(const Unshared&) = delete;
  ~Unshared() {
    if (!ended_) kill(twtrace_, SIGKILL);
  }

  static bool can_unshare(const std::vector<std::string>& namespaces) {
    std::vector<std::string> argv = {"unshare"};
    argv.insert(argv.end(), namespaces.begin(), namespaces.end());
    argv.insert(argv.end(), {"--fork", "true"});
    return Subprocess(argv).wait() == 0;
  }

  Subprocess& process() { return process_; }
  pid_t twtrace() const { return twtrace_; }
  /// The last line of its output, after it has ended.
  json stop() {
    kill(twtrace_, SIGINT);
    const auto code = process_.wait();
    ended_ = true;
    INFO(process_.standard_error());
    REQUIRE(code == 0);
    std::string text = process_.standard_output();
    REQUIRE_FALSE(text.empty());
    text.pop_back();
    return json::parse(text.substr(text.rfind('\n') + 1));
  }

 private:
  static std::vector<std::string> command_line(const std::vector<std::string>& namespaces,
                                               const std::vector<std::string>& arguments) {
    std::vector<std::string> argv = {"unshare"};
    argv.insert(argv.end(), namespaces.begin(), namespaces.end());
    argv.insert(argv.end(), {"--fork", twtrace_binary()});
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    argv.insert(argv.end(), {"--probe", environment("TWTRACE_PROBE", "auto")});
    return argv;
  }

  Subprocess process_;
  pid_t twtrace_ = -1;
  bool ended_ = false;
};

const std::vector<std::string> kBatch = {"-b", "--json", "-g", "pid", "-d", "0.2", "-r", "1000000"};

json row_of_process(const json& snapshot, std::uint32_t netns, int pid) {
  for (const json& row : snapshot.at("rows")) {
    if (row.at("netns") == netns && row.at("process").is_object() && row["process"]["pid"] == pid) return row;
  }
  return {};
}

}  // namespace

TEST_CASE("in a PID namespace, processes live and end as they do in the kernel", "[quick]") {
  if (!privileged()) return;
  stop_shared_twtrace();
  const base::UniqueFd netns = new_netns();
  const std::uint32_t inum = netns_facts(netns.get()).inum;
  Unshared twtrace({"--pid", "--mount-proc"}, kBatch);
  leave_buckets_in(netns.get(), kPort, 5);
  const int ended = leave_buckets_and_end(netns.get(), 3);
  const json snapshot = twtrace.stop();
  const json ours = row_of_process(snapshot, inum, getpid());
  INFO(snapshot.at("rows").dump());
  REQUIRE(ours.is_object());
  CHECK(ours["created"] == 5);
  CHECK(ours["process"]["exited"] == false);
  const json theirs = row_of_process(snapshot, inum, ended);
  REQUIRE(theirs.is_object());
  CHECK(theirs["created"] == 3);
  CHECK(theirs["process"]["exited"] == true);
}

TEST_CASE("in a time namespace, processes live and events have the time of the wall clock") {
  if (!privileged()) return;
  const std::vector<std::string> shifted = {"--time", "--boottime", "100000", "--monotonic", "500000"};
  if (!Unshared::can_unshare(shifted)) return;  // an old kernel, or the unshare of busybox
  stop_shared_twtrace();
  const base::UniqueFd netns = new_netns();
  const std::uint32_t inum = netns_facts(netns.get()).inum;
  {
    Unshared twtrace(shifted, kBatch);
    leave_buckets_in(netns.get(), kPort, 5);
    const json ours = row_of_process(twtrace.stop(), inum, getpid());
    REQUIRE(ours.is_object());
    CHECK(ours["created"] == 5);
    CHECK(ours["process"]["exited"] == false);
  }
  const auto now_ms = [] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  };
  Unshared events(shifted, {"events", "--json", "-D", std::to_string(kPort)});
  const auto before = now_ms();
  leave_buckets_in(netns.get(), kPort, 1);
  const auto after = now_ms();
  REQUIRE(events.process().wait_for_output("\n"));
  const json event = events.stop();
  INFO(event.dump());
  CHECK(event.at("time_unix_ms") >= before - 2);  // two clocks, and both are cut to milliseconds
  CHECK(event.at("time_unix_ms") <= after + 2);
}

TEST_CASE("rows of ended processes come back, however long an interval is") {
  if (!privileged()) return;
  constexpr int kProcesses = 101;
  TwtraceRun twtrace({}, "3600");
  const pid_t pid = twtrace.process().pid();
  std::optional<base::UniqueFd> netns(new_netns());
  const std::uint32_t inum = netns_facts(netns->get()).inum;
  for (int i = 0; i < kProcesses; ++i) leave_buckets_and_end(netns->get(), 1);
  CHECK(map_entries(pid, "row_ids") >= static_cast<std::size_t>(kProcesses));
  netns.reset();                                     // the kernel purges the buckets
  constexpr std::size_t kOfOthers = kProcesses / 5;  // processes of this host that close connections meanwhile
  CHECK(wait_until([&] { return map_entries(pid, "row_ids") < kOfOthers; }));
  CHECK(map_entries(pid, "processes") < kOfOthers);
  const json snapshot = twtrace.stop();
  int named = 0;
  for (const json& row : snapshot.at("rows")) {
    if (row.at("netns") != inum || !row.at("process").is_object() || row["role"] != "client") continue;
    ++named;
    CHECK(row["created"] == 1);
    CHECK(row["process"]["exited"] == true);
    CHECK(row["created_per_s"] > 0);
  }
  CHECK(named == kProcesses);
  check_nothing_lost(snapshot);
}
