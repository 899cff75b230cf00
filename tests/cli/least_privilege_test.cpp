// SPDX-License-Identifier: Apache-2.0
// The privileges of a running twtrace, from /proc/PID/status. It must keep only what it still needs.
#include <linux/capability.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "cli/cli.hpp"
#include "kernel/capabilities.hpp"
#include "kernel/procfs.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "trace/least_privilege.hpp"
#include "unit/kernel/temp_tree.hpp"

using namespace twtrace::test;
using twtrace::kernel::CapabilitySet;
using twtrace::kernel::TempTree;
using twtrace::trace::Duty;

namespace {

constexpr std::uint64_t kCaller = 1234;  // the user who calls sudo

/// The words in one line of /proc/PID/status.
std::string status(pid_t pid, const std::string& name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(name + ":", 0) != 0) continue;
    const std::size_t begin = line.find_first_not_of(" \t", name.size() + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return "";
}

std::string four_times(std::uint64_t id) {
  const std::string one = std::to_string(id);
  return one + "\t" + one + "\t" + one + "\t" + one;
}

std::string as_status(const CapabilitySet& set) {
  std::string digits(16, '0');
  for (std::size_t i = 0; i < digits.size(); ++i) digits[15 - i] = "0123456789abcdef"[(set.bits >> (4 * i)) & 0xF];
  return digits;
}

/// Those of that name, or all.
std::vector<pid_t> children_of(pid_t parent, const std::string& comm) {
  const std::string pid = std::to_string(parent);
  std::ifstream file("/proc/" + pid + "/task/" + pid + "/children");
  std::vector<pid_t> children;
  for (pid_t child = 0; file >> child;) {
    if (comm.empty() || status(child, "Name") == comm) children.push_back(child);
  }
  return children;
}

/// The status of this test, which started twtrace.
CapabilitySet held() { return *twtrace::kernel::effective_capabilities(twtrace::kernel::Procfs()); }

/// The status of twtrace, after it has printed "ready".
void check_holds(Subprocess& process, std::uint64_t uid, std::set<Duty> duties) {
  REQUIRE(process.wait_for_error("ready\n"));
  if (twtrace::trace::maps_need_capability()) duties.insert(Duty::kReadMaps);
  const std::string kept = as_status(twtrace::trace::keep_for(duties, held()));
  const pid_t pid = process.pid();
  CHECK(status(pid, "Uid") == four_times(uid));
  CHECK(status(pid, "CapPrm") == kept);
  CHECK(status(pid, "CapEff") == kept);
  CHECK(status(pid, "CapInh") == as_status({}));
  CHECK(status(pid, "CapAmb") == as_status({}));
  CHECK(status(pid, "NoNewPrivs") == "1");
  CHECK(status(pid, "Seccomp") == "2");
}

void end(Subprocess& process) {
  process.signal(SIGINT);
  const auto code = process.wait();
  INFO(process.standard_error());
  CHECK(code == 0);
}

Arguments as_sudo(const Arguments& arguments) {
  const std::string id = std::to_string(kCaller);
  Arguments argv = {"env", "SUDO_UID=" + id, "SUDO_GID=" + id, twtrace_binary()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

std::uint64_t owner_of(const std::string& file) {
  struct stat found {};
  REQUIRE(::stat(file.c_str(), &found) == 0);
  return found.st_uid;
}

}  // namespace

TEST_CASE("commands that only print become nobody") {
  if (!privileged()) return;
  const passwd* nobody = ::getpwnam("nobody");
  REQUIRE(nobody != nullptr);
  for (const Arguments& command :
       {Arguments{"-b", "-d", "0.2"}, Arguments{"events"}, Arguments{"demo", "-b", "-d", "0.2"},
        Arguments{"export", "--web.listen-address", "127.0.0.1:0"}}) {
    Arguments argv = {twtrace_binary()};
    argv.insert(argv.end(), command.begin(), command.end());
    Subprocess process(argv);
    check_holds(process, nobody->pw_uid, {});
    CHECK(status(process.pid(), "Gid") == four_times(nobody->pw_gid));
    CHECK(status(process.pid(), "Groups").empty());
    end(process);
  }
}

TEST_CASE("an exporter that writes a file becomes the owner of the directory") {
  if (!privileged()) return;
  const TempTree tree;
  REQUIRE(::chown((tree / "").c_str(), kCaller, kCaller) == 0);
  Subprocess process({twtrace_binary(), "export", "--textfile", tree / "x.prom", "-d", "0.1"});
  check_holds(process, kCaller, {});
  CHECK(status(process.pid(), "Gid") == four_times(kCaller));
  CHECK(wait_until([&] { return owner_of(tree / "x.prom") == kCaller; }));
  end(process);
}

TEST_CASE("a capture of root's stays root's, without what makes root root") {
  if (!privileged()) return;
  const TempTree tree;
  Subprocess process({twtrace_binary(), "capture", "-o", tree / "x.db", "-d", "0.1"});
  check_holds(process, 0, {});
  end(process);
  CHECK(owner_of(tree / "x.db") == 0);
}

TEST_CASE("a capture under sudo becomes the caller's where the caller can write, file and process") {
  if (!privileged()) return;
  const TempTree tree;
  REQUIRE(::chown(tree.root().c_str(), kCaller, kCaller) == 0);
  for (int again = 0; again < 2; ++again) {  // the second one renames the first one
    Subprocess process(as_sudo({"capture", "-o", tree / "x.db", "-d", "0.1"}));
    check_holds(process, kCaller, {});
    end(process);
  }
  CHECK(owner_of(tree / "x.db") == kCaller);
  CHECK(owner_of(tree / "x.db.old") == kCaller);
}

TEST_CASE("a capture under sudo in a directory of root keeps what it takes to write the caller's file") {
  if (!privileged()) return;
  const TempTree tree;
  Subprocess process(as_sudo({"capture", "-o", tree / "x.db", "-d", "0.1"}));
  check_holds(process, 0, {Duty::kWriteForOthers});
  end(process);
  CHECK(owner_of(tree / "x.db") == kCaller);
}

TEST_CASE("a capture of another user is read and marked without what makes root root") {
  if (!privileged()) return;
  const TempTree tree;
  REQUIRE(::chown(tree.root().c_str(), kCaller, kCaller) == 0);
  REQUIRE(::chmod(tree.root().c_str(), 0700) == 0);
  Subprocess process(as_sudo({"capture", "-o", tree / "x.db", "-d", "0.1"}));
  check_holds(process, kCaller, {});
  CHECK(run_twtrace({"mark", "-o", tree / "x.db", "moment"}).code == 0);
  CHECK(run_twtrace({"report", tree / "x.db"}).code == 0);  // while it is being written
  end(process);
  const auto report = run_twtrace({"report", "--json", tree / "x.db"});
  INFO(report.err);
  CHECK(report.code == 0);
  CHECK(report.out.find("moment") != std::string::npos);
  CHECK(run_twtrace({"diff", tree / "x.db", tree / "x.db"}).code == 0);
  CHECK(run_twtrace({"replay", "-b", tree / "x.db"}).code == 0);
}

TEST_CASE("the command of a capture keeps the credentials of who called, and gets its signals") {
  if (!privileged()) return;
  const TempTree tree;
  REQUIRE(::chown(tree.root().c_str(), kCaller, kCaller) == 0);
  Subprocess process(
      as_sudo({"capture", "-o", tree / "x.db", "-d", "0.1", "--before", "0", "--after", "0", "--", "sh", "-c",
               "trap 'echo got it; exit 7' USR1; cat /proc/self/status; while :; do sleep 0.1; done"}));
  check_holds(process, kCaller, {Duty::kPassSignals});
  REQUIRE(process.wait_for_output("Seccomp:"));
  const std::string shown = process.standard_output();
  CHECK(shown.find("Uid:\t" + four_times(0)) != std::string::npos);
  CHECK(shown.find("CapEff:\t" + as_status(held())) != std::string::npos);
  CHECK(shown.find("NoNewPrivs:\t0") != std::string::npos);
  CHECK(shown.find("Seccomp:\t0") != std::string::npos);
  process.signal(SIGUSR1);
  CHECK(process.wait() == 7);
  CHECK(process.standard_output().find("got it\n") != std::string::npos);
}

TEST_CASE("of the processes of the demo only the keeper keeps privileges") {
  if (!privileged()) return;
  Subprocess process({twtrace_binary(), "demo", "-b", "-d", "0.2"});
  REQUIRE(process.wait_for_error("ready\n"));
  const pid_t keeper = children_of(process.pid(), "demo-keeper").at(0);
  CHECK(status(keeper, "CapEff") == as_status(held()));
  const std::vector<pid_t> workers = children_of(keeper, "");
  CHECK(workers.size() == 7);
  for (const pid_t worker : workers) {
    INFO(status(worker, "Name"));
    CHECK(status(worker, "Uid") == four_times(::getpwnam("nobody")->pw_uid));
    CHECK(status(worker, "CapPrm") == as_status({}));
    CHECK(status(worker, "NoNewPrivs") == "1");
    CHECK(status(worker, "Seccomp") == "2");
  }
  CHECK(process.wait_for_output("queue-worker"));  // they work all the same
  end(process);
  for (const pid_t worker : workers) CHECK(::kill(worker, 0) != 0);
}

TEST_CASE("the processes of the demo end with their keeper") {
  if (!privileged()) return;
  Subprocess process({twtrace_binary(), "demo", "-b", "-d", "0.2"});
  REQUIRE(process.wait_for_error("ready\n"));
  const pid_t keeper = children_of(process.pid(), "demo-keeper").at(0);
  const std::vector<pid_t> workers = children_of(keeper, "");
  ::kill(keeper, SIGKILL);
  for (const pid_t worker : workers) CHECK(wait_until([&] { return ::kill(worker, 0) != 0; }));
  end(process);
}

TEST_CASE("names are looked up by a process that keeps nothing but the right to read") {
  if (!privileged()) return;
  Subprocess process({twtrace_binary(), "-b", "-d", "0.2"});
  check_holds(process, ::getpwnam("nobody")->pw_uid, {});
  const std::string task = "/proc/" + std::to_string(process.pid()) + "/task/" + std::to_string(process.pid());
  std::ifstream children(task + "/children");
  pid_t helper = 0;
  REQUIRE(children >> helper);
  CHECK_FALSE(children >> helper);  // there is no other
  const std::string kept = as_status(twtrace::trace::keep_for({Duty::kWatch}, held()));
  CHECK(status(helper, "Uid") == status(process.pid(), "Uid"));
  CHECK(status(helper, "CapPrm") == kept);
  CHECK(status(helper, "CapEff") == kept);
  CHECK(status(helper, "NoNewPrivs") == "1");
  CHECK(status(helper, "Seccomp") == "2");
  const std::filesystem::directory_iterator files("/proc/" + std::to_string(helper) + "/fd");
  CHECK(std::distance(begin(files), std::filesystem::directory_iterator()) == 4);  // three are /dev/null
  process.signal(SIGKILL);
  process.wait();
  CHECK(wait_until([&] { return ::kill(helper, 0) != 0; }));  // it does not outlive what it helps
}

TEST_CASE("with --keep-privileges nothing is dropped") {
  if (!privileged()) return;
  Subprocess process({twtrace_binary(), "-b", "-d", "0.2", "--keep-privileges"});
  REQUIRE(process.wait_for_error("ready\n"));
  CHECK(status(process.pid(), "Uid") == four_times(0));
  CHECK(status(process.pid(), "CapEff") == as_status(held()));
  CHECK(status(process.pid(), "NoNewPrivs") == "0");
  CHECK(status(process.pid(), "Seccomp") == "0");
  const std::string task = "/proc/" + std::to_string(process.pid()) + "/task/" + std::to_string(process.pid());
  pid_t child = 0;
  CHECK_FALSE(std::ifstream(task + "/children") >> child);
  end(process);
}

TEST_CASE("doctor says what is kept and what is dropped") {
  if (!privileged()) return;
  const auto report = nlohmann::json::parse(run_twtrace({"doctor", "--json"}).out);
  for (const auto& check : report.at("capabilities")) {
    if (!check.at("ok").get<bool>()) continue;
    const std::string detail = check.at("detail");
    INFO(check.dump());
    CHECK((detail == "dropped after the start" || detail.rfind("kept after the start", 0) == 0));
    if (check.at("name") == "CAP_PERFMON") CHECK(detail == "dropped after the start");
    if (check.at("name") != "CAP_DAC_READ_SEARCH") continue;
    // Two processes keep it, each for a reason of its own.
    CHECK(detail.find("by twtrace-names, to look up cgroups by id, and container names in files of root") !=
          detail.npos);
    CHECK(detail.find("by twtrace-logs, to follow log files of other users (capture --log run as root)") !=
          detail.npos);
  }
}
