// SPDX-License-Identifier: Apache-2.0
// A kernel that lacks something, or a user without privileges: exit code 77, the reason and the remedy.

#include "cli/cli.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"

using namespace twtrace::test;
using nlohmann::json;

namespace {

/// twtrace without the given capabilities ("-all", "-bpf,-sys_admin").
Outcome without(const std::string& capabilities, const Arguments& arguments) {
  Arguments argv = {"setpriv", "--inh-caps=" + capabilities, "--bounding-set=" + capabilities, twtrace_binary()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run_program(argv);
}

}  // namespace

TEST_CASE("no privilege at all: the missing capabilities are named, whatever the uid") {
  if (!privileged()) return;
  for (const Arguments& arguments : {Arguments{"-b", "-n", "1"}, Arguments{"events"}, Arguments{"--probe", "fentry"}}) {
    const Outcome outcome = without("-all", arguments);
    check_refused(outcome, 77, "CAP_BPF and CAP_PERFMON");
    CHECK(outcome.err.find("--cap-add BPF --cap-add PERFMON") != std::string::npos);
    CHECK(outcome.err.find("CAP_BPF CAP_PERFMON in CapabilityBoundingSet=") != std::string::npos);
  }
}

TEST_CASE("where sudo or setcap can grant what is missing, they are named") {
  if (!privileged()) return;
  // Without SECBIT_NOROOT the uid 0 would get them all.
  const Outcome outcome =
      run_program({"setpriv", "--securebits", "+noroot", "--inh-caps=-all", twtrace_binary(), "-b", "-n", "1"});
  check_refused(outcome, 77, "CAP_BPF and CAP_PERFMON");
  CHECK(outcome.err.find("run it with sudo, or grant them: setcap cap_bpf,cap_perfmon+ep") != std::string::npos);
}

TEST_CASE("in a user namespace the capabilities do not count, whatever they are") {
  if (!privileged()) return;
  for (const Arguments& more : {Arguments{}, Arguments{"setpriv", "--bounding-set=-all", "--inh-caps=-all"}}) {
    Arguments argv = {"unshare", "-Ur"};
    argv.insert(argv.end(), more.begin(), more.end());
    argv.insert(argv.end(), {twtrace_binary(), "-b", "-n", "1"});
    const Outcome outcome = run_program(argv);
    check_refused(outcome, 77, more.empty() ? "this process is in a user namespace" : "CAP_BPF and CAP_PERFMON");
    CHECK(outcome.err.find("run twtrace with sudo on the host, or in a container of root") != std::string::npos);
  }
  const Outcome doctor = run_program({"unshare", "-Ur", twtrace_binary(), "doctor", "--json"});
  INFO(describe(doctor));
  CHECK(doctor.code == 77);
  for (const json& check : json::parse(doctor.out).at("capabilities")) {
    if (check.at("name") != "CAP_BPF" && check.at("name") != "CAP_PERFMON") continue;
    CHECK(check.at("ok") == false);
    CHECK(check.at("detail") == "held in this user namespace, where it does not count for BPF");
  }
}

TEST_CASE("without sysfs it is not the kernel that lacks BTF") {
  if (!privileged()) return;
  const Outcome outcome =
      run_program({"unshare", "-m", "sh", "-c", "mount -t tmpfs none /sys && exec \"$0\" -b -n 1", twtrace_binary()});
  check_refused(outcome, 77, "there is no sysfs at /sys");
  CHECK(outcome.err.find("mount -t sysfs sysfs /sys") != std::string::npos);
}

TEST_CASE("only what is missing is named") {
  if (!privileged()) return;
  const Outcome outcome = without("-perfmon,-sys_admin", {"-b", "-n", "1"});
  check_refused(outcome, 77, "CAP_PERFMON");
  CHECK(outcome.err.find("CAP_BPF") == std::string::npos);
}

TEST_CASE("CAP_SYS_ADMIN takes the place of both") {
  if (!privileged()) return;
  const Outcome outcome = without("-bpf,-perfmon", {"-b", "--json", "-d", "0.1", "-n", "1"});
  INFO(describe(outcome));
  CHECK(outcome.code == 0);
  CHECK(lines(outcome.out).size() == 1);
}

TEST_CASE("usage errors and help need no privilege") {
  if (!privileged()) return;
  check_refused(without("-all", {"--no-feature", "foo"}), 2, "foo");
  check_refused(without("-all", {"-g", "foo"}), 2, "foo");
  CHECK(without("-all", {"--help"}).code == 0);
}

// Which backends work depends on the kernel. But each must either work or say why not.
TEST_CASE("a backend that was asked for is used, or refused with its reason") {
  if (!privileged()) return;
  int working = 0;
  for (const std::string backend : {"fentry", "kprobe", "tracepoint"}) {
    INFO(backend);
    const Outcome outcome = run_twtrace({"--probe", backend, "-b", "--json", "-d", "0.1", "-n", "1"});
    if (outcome.code != 0) {
      check_refused(outcome, 77, backend + ": ");
      continue;
    }
    CHECK(json::parse(outcome.out).at("probe").at("backend") == backend);
    ++working;
  }
  CHECK(working > 0);
}

TEST_CASE("a kernel without BTF is told so, with the remedy") {
  if (!privileged()) return;
  const Outcome outcome = run_twtrace({"--no-feature", "btf", "-b", "-n", "1"});
  check_refused(outcome, 77, "BTF");
  CHECK(outcome.err.find("--btf FILE") != std::string::npos);
}

TEST_CASE("with no backend left every one is named with its reason") {
  if (!privileged()) return;
  const Outcome outcome =
      run_twtrace({"--no-feature", "fentry", "--no-feature", "kprobe", "--no-feature", "tracepoint", "-b"});
  check_refused(outcome, 77, "fentry: switched off; kprobe: switched off; tracepoint: switched off");
}

TEST_CASE("if the backend that was asked for does not work, the message says how to get another one") {
  if (!privileged()) return;
  for (const Arguments& command : {Arguments{"-b", "-n", "1"}, Arguments{"doctor"}}) {
    Arguments arguments = command;
    for (const char* more : {"--probe", "kprobe", "--no-feature", "kprobe"}) arguments.emplace_back(more);
    const Outcome outcome = run_twtrace(arguments);
    INFO(describe(outcome));
    CHECK(outcome.code == 77);
    CHECK(outcome.err.find("the backend that was asked for does not work here: kprobe: switched off") !=
          std::string::npos);
    CHECK(outcome.err.find("leave out --probe") != std::string::npos);
  }
}

TEST_CASE("what was passed over is in the snapshot") {
  if (!privileged()) return;
  const Outcome outcome = run_twtrace({"--no-feature", "fentry", "--no-feature", "kprobe", "-b", "--json", "0.1", "1"});
  INFO(describe(outcome));
  REQUIRE(outcome.code == 0);
  const json probe = json::parse(outcome.out).at("probe");
  CHECK(probe.at("backend") == "tracepoint");
  REQUIRE(probe.at("fallbacks").size() >= 2);
  CHECK(probe.at("fallbacks")[0] == "fentry: switched off");
  CHECK(probe.at("fallbacks")[1] == "kprobe: switched off");
}
