// SPDX-License-Identifier: Apache-2.0
// Everything comes and goes at once: network namespaces, cgroups, short-lived processes and listening ports, each with
// connections over loopback that a known process closes first. Run it inside a network namespace of its own.
#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "die.hpp"
#include "places.hpp"

namespace {

using twtrace::workload::bring_loopback_up;
using twtrace::workload::die;
using twtrace::workload::enter_cgroup;
using Clock = std::chrono::steady_clock;

constexpr std::uint16_t kFirstLanePort = 900;  // below the range of source ports
constexpr std::uint16_t kFirstListenerPort = 1000;
constexpr int kListenerPorts = 20'000;
constexpr int kConnectionsOfNamespace = 5;
constexpr std::uint32_t kAddresses = 16;  // so many that source ports do not run out

struct Options {
  std::string cgroups_below;  ///< a directory; the cgroups are made and removed there
  std::array<int, 4> counts{};
  int names = 0;        ///< cgroups take turns over so many names; 0: each has its own
  double seconds = 0;   ///< 0: each count once; else as often as there is time
  double per_s = 1e9;   ///< turns of each lane, with `seconds`
  double spread_s = 0;  ///< how long each lane takes for its count
};

[[noreturn]] void usage() {
  std::fputs(
      "usage: tw_turnover --cgroups-below DIRECTORY [--namespaces N] [--cgroups N] [--processes N] [--listeners N]\n"
      "  [--names N] [--spread S | --seconds S [--per-second R]]\n"
      "Each of these comes, closes connections and goes, N times in all, or again and again for S seconds; at most R "
      "of\n"
      "each kind per second. Cgroups take turns over so many names. Prints what it did as JSON.\n",
      stderr);
  std::exit(2);
}

double number(const char* text, double most) {
  char* end = nullptr;
  const double value = std::strtod(text, &end);
  if (*text == '\0' || *end != '\0' || !(value >= 0 && value <= most)) usage();
  return value;
}

Options parse_options(int argc, char** argv) {
  static const option kLong[] = {
      {"namespaces", required_argument, nullptr, 0},      {"cgroups", required_argument, nullptr, 1},
      {"processes", required_argument, nullptr, 2},       {"listeners", required_argument, nullptr, 3},
      {"names", required_argument, nullptr, 'n'},         {"seconds", required_argument, nullptr, 's'},
      {"per-second", required_argument, nullptr, 'r'},    {"spread", required_argument, nullptr, 'd'},
      {"cgroups-below", required_argument, nullptr, 'c'}, {nullptr, 0, nullptr, 0}};
  Options options;
  for (int key = 0; (key = getopt_long(argc, argv, "", kLong, nullptr)) != -1;) {
    if (key >= 0 && key < 4) {
      options.counts.at(static_cast<std::size_t>(key)) = static_cast<int>(number(optarg, 2e6));
    } else if (key == 'n') {
      options.names = static_cast<int>(number(optarg, 1e6));
    } else if (key == 's') {
      options.seconds = number(optarg, 86400);
    } else if (key == 'r') {
      options.per_s = number(optarg, 1e9);
    } else if (key == 'd') {
      options.spread_s = number(optarg, 86400);
    } else if (key == 'c') {
      options.cgroups_below = optarg;
    } else {
      usage();
    }
  }
  if (optind != argc || options.cgroups_below.empty() || options.per_s <= 0) usage();
  return options;
}

sockaddr_in address(std::uint16_t port, std::uint32_t turn) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  result.sin_addr.s_addr = htonl(INADDR_LOOPBACK + turn % kAddresses);
  return result;
}

int listen_on(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  sockaddr_in any = address(port, 0);
  any.sin_addr.s_addr = htonl(INADDR_ANY);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (fd < 0 || bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof(any)) != 0 || listen(fd, 64) != 0)
    die("listen");
  return fd;
}

int connect_to(std::uint16_t port, std::uint32_t turn) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in server = address(port, turn);
  if (fd < 0 || connect(fd, reinterpret_cast<const sockaddr*>(&server), sizeof(server)) != 0) die("connect");
  return fd;
}

void wait_for_fin(int fd) {
  char byte = 0;
  if (read(fd, &byte, 1) != 0) die("read");
}

/// The end that connects closes first.
void close_by_client(int listener, std::uint16_t port, std::uint32_t turn) {
  const int client = connect_to(port, turn);
  const int server = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (server < 0) die("accept");
  close(client);
  wait_for_fin(server);
  close(server);
}

/// Does `work` in a process of its own, which must exit with 0.
template <class Work>
void in_process(const char* comm, Work work) {
  const pid_t pid = fork();
  if (pid < 0) die("fork");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, comm);
    work();
    _exit(0);
  }
  int status = 0;
  if (waitpid(pid, &status, 0) != pid || status != 0) die(comm);
}

void take_namespace() {
  in_process("tn-namespace", [] {
    if (unshare(CLONE_NEWNET) != 0) die("unshare");
    bring_loopback_up();
    const int listener = listen_on(kFirstLanePort);
    for (int i = 0; i < kConnectionsOfNamespace; ++i) close_by_client(listener, kFirstLanePort, 0);
  });
}

void take_cgroup(const Options& options, int listener, int turn) {
  const int name = options.names == 0 ? turn : turn % options.names;
  const std::string directory = options.cgroups_below + "/job" + std::to_string(name) + ".service";
  if (mkdir(directory.c_str(), 0755) != 0) die(directory.c_str());
  in_process("tn-cgroup", [&] {
    enter_cgroup(directory);
    close_by_client(listener, kFirstLanePort + 1, static_cast<std::uint32_t>(turn));
  });
  if (rmdir(directory.c_str()) != 0) die(directory.c_str());
}

void take_process(int listener, int turn) {
  const std::uint16_t port = kFirstLanePort + 2;
  in_process("tn-process", [&] { close(connect_to(port, static_cast<std::uint32_t>(turn))); });
  const int server = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (server < 0) die("accept");
  wait_for_fin(server);
  close(server);
}

/// The end that accepts closes first.
void take_listener(int turn) {
  const auto port = static_cast<std::uint16_t>(kFirstListenerPort + turn % kListenerPorts);
  const int listener = listen_on(port);
  const int client = connect_to(port, static_cast<std::uint32_t>(turn));
  const int server = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (server < 0) die("accept");
  close(server);
  wait_for_fin(client);
  close(client);
  close(listener);
}

/// Returns how many turns there were.
template <class Turn>
int take_turns(const Options& options, int count, Turn take) {
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::duration<double>(options.seconds);
  const double per_s = options.spread_s > 0 ? count / options.spread_s : options.per_s;
  int done = 0;
  for (; count > 0 && (options.seconds > 0 ? Clock::now() < end : done < count); ++done) {
    std::this_thread::sleep_until(begin + std::chrono::duration<double>(done / per_s));
    take(done);
  }
  return done;
}

constexpr std::array<const char*, 4> kLanes = {"namespaces", "cgroups", "processes", "listeners"};

int run_lane(std::size_t lane, const Options& options) {
  const int count = options.counts.at(lane);
  if (lane == 0) return take_turns(options, count, [](int) { take_namespace(); });
  if (lane == 3) return take_turns(options, count, take_listener);
  const int listener = listen_on(static_cast<std::uint16_t>(kFirstLanePort + lane));
  if (lane == 2) return take_turns(options, count, [&](int turn) { take_process(listener, turn); });
  return take_turns(options, count, [&](int turn) { take_cgroup(options, listener, turn); });
}

/// Each lane is a process.
pid_t begin_lane(std::size_t lane, const Options& options, int report) {
  const pid_t pid = fork();
  if (pid < 0) die("fork");
  if (pid != 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const std::string comm = std::string("tn-") + kLanes.at(lane);
  prctl(PR_SET_NAME, comm.c_str());
  const std::array<int, 2> done = {static_cast<int>(lane), run_lane(lane, options)};
  if (write(report, done.data(), sizeof(done)) != sizeof(done)) die("write");
  _exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse_options(argc, argv);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) die("pipe");
  for (std::size_t lane = 0; lane < kLanes.size(); ++lane) begin_lane(lane, options, ends[1]);
  close(ends[1]);
  std::array<int, 4> turns{};
  for (std::array<int, 2> done{}; read(ends[0], done.data(), sizeof(done)) == sizeof(done);) {
    turns.at(static_cast<std::size_t>(done[0])) = done[1];
  }
  int failed = 0;
  for (int status = 0; wait(&status) > 0;) failed |= status;
  std::printf("{");
  for (std::size_t lane = 0; lane < kLanes.size(); ++lane) std::printf("\"%s\":%d,", kLanes.at(lane), turns.at(lane));
  std::printf("\"connections_of_namespace\":%d}\n", kConnectionsOfNamespace);
  return failed == 0 ? 0 : 1;
}
