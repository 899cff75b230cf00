// SPDX-License-Identifier: Apache-2.0
// Drives a known number of TCP connections over loopback, ends them in one known way, and prints as one line of JSON
// what the kernel must have made of it. Knows nothing of twtrace. Run it inside a network namespace of its own.
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>

#include "modes.hpp"
#include "tcp.hpp"

namespace twtrace::workload {
namespace {

struct Processes {
  pid_t server = 0;
  pid_t client = 0;
};

// Tells the processor that this one spins. An emulator that runs the processors in turn then goes on to the next one;
// otherwise it would only do so after a tenth of a second.
void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  asm volatile("yield");
#endif
}

// Spins until it is killed. It closes nothing, but it is the current process while softirqs run on its CPU.
[[noreturn]] void be_innocent(const Options& options) {
  become({"tw-innocent", options.cgroup_client, options.uid_client}, options.cpu);
  std::puts("{\"held\":true}");
  std::fflush(stdout);
  for (;;) relax();
}

Processes run_roles(const Options& options, const Mode& mode, Shared& shared) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) die("socketpair");
  Context server{options, Link(ends[0]), shared};
  Context client{options, Link(ends[1]), shared};
  Processes processes;
  processes.server = fork_role({"tw-server", options.cgroup_server, options.uid_server}, mode.server, server, ends[1]);
  processes.client = fork_role({"tw-client", options.cgroup_client, options.uid_client}, mode.client, client, ends[0]);
  close(ends[0]);
  close(ends[1]);
  return processes;
}

const char* stage_name(Stage stage) {
  switch (stage) {
    case Stage::kNone:
      return "none";
    case Stage::kAny:
      return "any";
    case Stage::kTimeWait:
      return "time_wait";
    case Stage::kFinWait2:
      return "fin_wait2";
  }
  return "";
}

// Prints one owner. `buckets` is how many buckets it asked for, or the most if both ends close.
std::string owner_json(pid_t pid, const char* comm, int uid, const char* role, int buckets) {
  return "{\"pid\":" + std::to_string(pid) + ",\"comm\":\"" + comm + "\",\"uid\":" + std::to_string(uid) +
         ",\"role\":\"" + role + "\",\"buckets\":" + std::to_string(buckets) + "}";
}

int effective_uid(int uid) { return uid >= 0 ? uid : static_cast<int>(getuid()); }

std::string owners_json(const Options& options, const Mode& mode, const Shared& shared, const Processes& processes) {
  const std::string server =
      owner_json(processes.server, "tw-server", effective_uid(options.uid_server), "server", options.count);
  const std::string client =
      owner_json(processes.client, "tw-client", effective_uid(options.uid_client), "client", options.count);
  switch (mode.owner) {
    case Owner::kNobody:
    case Owner::kClientSocket:
      return "[]";
    case Owner::kServer:
      return "[" + server + "]";
    case Owner::kClient:
      return "[" + client + "]";
    case Owner::kBoth:
      return "[" + server + "," + client + "]";
    case Owner::kServerChild:
    case Owner::kClientChild:
      break;
  }
  const bool serving = mode.owner == Owner::kServerChild;
  const int uid = effective_uid(serving ? options.uid_server : options.uid_client);
  std::string all;
  for (int i = 0; i < shared.owner_count; ++i) {
    if (!all.empty()) all += ',';
    all += owner_json(shared.owners[i], mode.child_comm, uid, serving ? "server" : "client",
                      options.count / shared.owner_count);
  }
  return "[" + all + "]";
}

void report(const Options& options, const Mode& mode, const Shared& shared, const Processes& processes) {
  const int buckets = mode.owner == Owner::kNobody ? 0 : options.count;
  std::printf(
      "{\"mode\":\"%s\",\"port\":%d,\"count\":%d,\"stage\":\"%s\",\"buckets\":%d,\"buckets_max\":%d,\"reused\":%d,"
      "\"recycled\":%d,\"server\":%d,\"client\":%d,\"owners\":%s}\n",
      mode.name, options.port, options.count, stage_name(mode.stage), buckets,
      mode.owner == Owner::kBoth ? 2 * buckets : buckets, mode.reused ? options.count : 0,
      mode.recycled ? options.count : 0, processes.server, processes.client,
      owners_json(options, mode, shared, processes).c_str());
}

}  // namespace
}  // namespace twtrace::workload

int main(int argc, char** argv) {
  using namespace twtrace::workload;
  const Options options = parse_options(argc, argv);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (options.mode == "innocent") be_innocent(options);
  const Mode& mode = *find_mode(options.mode);
  Shared& shared = map_shared();
  const Processes processes = run_roles(options, mode, shared);
  const bool client_fine = wait_for(processes.client, mode.client_signal);
  if (!client_fine) kill(processes.server, SIGKILL);
  if (!wait_for(processes.server) || !client_fine) {
    std::fprintf(stderr, "tw_workload: %s failed\n", mode.name);
    return 1;
  }
  report(options, mode, shared, processes);
  return 0;
}
