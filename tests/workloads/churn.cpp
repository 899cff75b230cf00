// SPDX-License-Identifier: Apache-2.0
// A load for measurements. Pairs of client and server processes open and close TCP connections over loopback as fast as
// they can, for a time or a number of connections. One line of JSON says how many there were. Run it inside a network
// namespace of its own, with a table large enough for all the buckets.
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "die.hpp"

namespace {

using twtrace::workload::die;
using Clock = std::chrono::steady_clock;

// A client waits for its server after so many connections. So it never overruns the backlog, which would cost seconds
// for a repeated SYN, and it does not have to wait for every single close.
constexpr int kBatch = 128;
// Connections take turns over so many server addresses. So free source ports are plenty, and quick to find.
constexpr std::uint32_t kAddresses = 16;
constexpr std::uint16_t kFirstPort = 900;  // below the range of source ports
constexpr int kMaxPairs = 64;
constexpr unsigned kGraceSeconds = 60;

struct Options {
  double seconds = 0;  ///< 0: until `connections` are done
  std::int64_t connections = 0;
  double rate = 0;  ///< connections per second of all pairs together; 0: as fast as they can
  int pairs = 2;
  bool server_closes = false;
};

struct Pair {
  int index;
  int client_end;  ///< of a socket pair: the server says there that a batch is closed
  int server_end;
  pid_t server;
  pid_t client;
};

[[noreturn]] void usage() {
  std::fputs(
      "usage: tw_churn --seconds S | --connections N  [--rate R] [--pairs P] [--closer client|server]\n"
      "S: up to 60; N: up to 2000000, rounded up to whole batches of 128 per pair; R: connections per second, default\n"
      "as many as possible; P: 1 to 64, default 2\n",
      stderr);
  std::exit(2);
}

double number(const char* text, double low, double high) {
  char* end = nullptr;
  const double value = std::strtod(text, &end);
  if (*text == '\0' || *end != '\0' || !(value >= low && value <= high)) usage();
  return value;
}

Options parse_options(int argc, char** argv) {
  static const option kLong[] = {
      {"seconds", required_argument, nullptr, 's'}, {"connections", required_argument, nullptr, 'n'},
      {"rate", required_argument, nullptr, 'r'},    {"pairs", required_argument, nullptr, 'p'},
      {"closer", required_argument, nullptr, 'c'},  {nullptr, 0, nullptr, 0}};
  Options options;
  for (int key = 0; (key = getopt_long(argc, argv, "", kLong, nullptr)) != -1;) {
    if (key == 's') {
      options.seconds = number(optarg, 0.1, 60);
    } else if (key == 'n') {
      options.connections = static_cast<std::int64_t>(number(optarg, 1, 2e6));
    } else if (key == 'r') {
      options.rate = number(optarg, 1, 1e6);
    } else if (key == 'p') {
      options.pairs = static_cast<int>(number(optarg, 1, kMaxPairs));
    } else if (key == 'c' && (std::strcmp(optarg, "client") == 0 || std::strcmp(optarg, "server") == 0)) {
      options.server_closes = std::strcmp(optarg, "server") == 0;
    } else {
      usage();
    }
  }
  if (optind != argc || (options.seconds > 0) == (options.connections > 0)) usage();
  return options;
}

sockaddr_in address(std::uint32_t host, int pair) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(static_cast<std::uint16_t>(kFirstPort + pair));
  result.sin_addr.s_addr = htonl(host);
  return result;
}

void wait_for_end(int fd) {
  char byte = 0;
  if (read(fd, &byte, 1) != 0) die("read");
}

int listen_for(const Pair& pair) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in local = address(INADDR_ANY, pair.index);
  if (fd < 0 || bind(fd, reinterpret_cast<const sockaddr*>(&local), sizeof(local)) != 0) die("bind");
  if (listen(fd, 2 * kBatch) != 0) die("listen");
  return fd;
}

[[noreturn]] void serve(const Options& options, const Pair& pair, int listener) {
  for (int done = 1;; done = done % kBatch + 1) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) die("accept");
    if (!options.server_closes) wait_for_end(fd);
    close(fd);
    if (done == kBatch && write(pair.server_end, "", 1) != 1) die("write");
  }
}

void connect_and_close(const Options& options, const sockaddr_in& server) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  if (connect(fd, reinterpret_cast<const sockaddr*>(&server), sizeof(server)) != 0) die("connect");
  if (options.server_closes) wait_for_end(fd);
  close(fd);
}

[[noreturn]] void be_client(const Options& options, const Pair& pair, std::int64_t& done) {
  const auto end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.seconds));
  const std::int64_t quota = (options.connections + options.pairs - 1) / options.pairs;
  const auto batch_time = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(options.rate > 0 ? kBatch * options.pairs / options.rate : 0));
  // Pairs start one after another, so that they do not all work at the same moment.
  auto next = Clock::now() + batch_time * pair.index / options.pairs;
  while (options.seconds > 0 ? Clock::now() < end : done < quota) {
    if (options.rate > 0) std::this_thread::sleep_until(std::exchange(next, next + batch_time));
    const std::uint32_t host = INADDR_LOOPBACK + static_cast<std::uint32_t>(done / kBatch) % kAddresses;
    for (int i = 0; i < kBatch; ++i) connect_and_close(options, address(host, pair.index));
    char byte = 0;
    if (read(pair.client_end, &byte, 1) != 1) die("the server ended");
    done += kBatch;
  }
  std::exit(0);
}

// Both ends of a pair share a CPU, so that a run does not depend on where the scheduler happens to put them.
void become(const char* comm, const Pair& pair) {
  prctl(PR_SET_NAME, comm);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const auto cpus = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(pair.index % cpus), &set);
  sched_setaffinity(0, sizeof(set), &set);  // fails if a cpuset forbids that CPU; it works without
}

pid_t fork_or_die() {
  const pid_t pid = fork();
  if (pid < 0) die("fork");
  return pid;
}

void start_server(const Options& options, Pair& pair) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) die("socketpair");
  pair.client_end = ends[0];
  pair.server_end = ends[1];
  const int listener = listen_for(pair);
  pair.server = fork_or_die();
  if (pair.server == 0) {
    become("churn-server", pair);
    close(pair.client_end);
    serve(options, pair, listener);
  }
  close(listener);
  close(pair.server_end);
}

bool succeeded(pid_t pid) {
  int status = 0;
  return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::int64_t* shared_counts() {
  void* memory =
      mmap(nullptr, sizeof(std::int64_t) * kMaxPairs, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) die("mmap");
  return static_cast<std::int64_t*>(memory);
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse_options(argc, argv);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  alarm(static_cast<unsigned>(options.seconds) + (options.connections > 0 ? 10 : 1) * kGraceSeconds);
  std::vector<Pair> pairs(static_cast<std::size_t>(options.pairs));
  std::int64_t* counts = shared_counts();
  for (int i = 0; i < options.pairs; ++i) {
    pairs[static_cast<std::size_t>(i)].index = i;
    start_server(options, pairs[static_cast<std::size_t>(i)]);
  }
  const auto start = Clock::now();
  for (Pair& pair : pairs) {
    pair.client = fork_or_die();
    if (pair.client == 0) {
      become("churn-client", pair);
      be_client(options, pair, counts[pair.index]);
    }
  }
  bool fine = true;
  for (const Pair& pair : pairs) fine = succeeded(pair.client) && fine;
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::int64_t total = 0;
  for (const Pair& pair : pairs) {
    kill(pair.server, SIGKILL);
    waitpid(pair.server, nullptr, 0);
    total += counts[pair.index];
  }
  if (!fine) return 1;
  std::printf("{\"connections\":%lld,\"seconds\":%.6f,\"cpu_seconds\":%.3f,\"pairs\":%d,\"closer\":\"%s\"}\n",
              static_cast<long long>(total), seconds, cpu_seconds(), options.pairs,
              options.server_closes ? "server" : "client");
  return 0;
}
