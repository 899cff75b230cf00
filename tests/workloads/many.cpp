// SPDX-License-Identifier: Apache-2.0
// Many of one thing: keys, short-lived processes, network namespaces or cgroups that close connections over loopback.
// The end that connects closes first. Prints "ready" when its connections are closed, then one for each line of input
// that asks for more of them; ends with its input. Run it inside a network namespace of its own.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "die.hpp"
#include "places.hpp"

namespace {

using twtrace::workload::bring_loopback_up;
using twtrace::workload::die;
using twtrace::workload::enter_cgroup;

constexpr std::uint16_t kPort = 900;
constexpr std::uint16_t kFirstKeyPort = 1000;
constexpr int kKeyPorts = 50'000;
constexpr int kBacklog = 64;
constexpr unsigned kLifetimeSeconds = 600;

[[noreturn]] void usage() {
  std::fputs(
      "usage: tw_many keys K N | processes N | namespaces N C | cgroups DIRECTORY N\n"
      "keys: N connections, each of K (up to 100000) pairs of port and family as often as the others, and N again for\n"
      "each line of input;\n"
      "processes: N that close one each; namespaces: N with C connections each, until the end of input;\n"
      "cgroups: one process closes one in each of N new ones under DIRECTORY\n",
      stderr);
  std::exit(2);
}

int number(const char* text, int most) {
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  if (*text == '\0' || *end != '\0' || value < 1 || value > most) usage();
  return static_cast<int>(value);
}

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

/// A loopback address. For IPv4 each `turn` has another host, so that source ports do not run out.
Address address(bool ipv6, std::uint16_t port, std::uint32_t turn = 0) {
  Address result;
  if (ipv6) {
    sockaddr_in6 in6{};
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(port);
    in6.sin6_addr = in6addr_loopback;
    std::memcpy(&result.storage, &in6, sizeof(in6));
    result.length = sizeof(in6);
    return result;
  }
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK + turn % 16);
  std::memcpy(&result.storage, &in, sizeof(in));
  result.length = sizeof(in);
  return result;
}

const sockaddr* pointer(const Address& at) { return reinterpret_cast<const sockaddr*>(&at.storage); }

int listen_on(bool ipv6, std::uint16_t port) {
  const int fd = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int one = 1;
  Address at = address(ipv6, port);
  if (!ipv6) reinterpret_cast<sockaddr_in*>(&at.storage)->sin_addr.s_addr = htonl(INADDR_ANY);
  if (fd < 0 || (ipv6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) != 0)) die("socket");
  if (bind(fd, pointer(at), at.length) != 0 || listen(fd, kBacklog) != 0) die("listen");
  return fd;
}

void connect_and_close(const Address& to) {
  const int fd = socket(to.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  if (connect(fd, pointer(to), to.length) != 0) die("connect");
  close(fd);
}

void accept_and_close(int listener) {
  const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) die("accept");
  close(fd);
}

/// False at the end of input.
bool wait_for_line() {
  for (char c = 0; read(STDIN_FILENO, &c, 1) == 1;) {
    if (c == '\n') return true;
  }
  return false;
}

void say_ready() {
  if (write(STDOUT_FILENO, "ready\n", 6) != 6) die("write");
}

void allow_many_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) die("RLIMIT_NOFILE");
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) die("RLIMIT_NOFILE");
}

/// A process that has more ports in a role than this gets one row for all further ones (TW_MAX_PORTS).
constexpr int kKeysOfWorker = 64;

/// A process with the keys from `first` up to `end`.
struct Worker {
  int first;
  int end;
  int fd;  ///< a byte there asks for a round, and one comes back when it is done
};

[[noreturn]] void be_worker(const Worker& worker, int rounds_per_key) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  alarm(kLifetimeSeconds);
  allow_many_files();
  const auto port_of = [](int key) { return static_cast<std::uint16_t>(kFirstKeyPort + key % kKeyPorts); };
  const auto is_ipv6 = [](int key) { return key >= kKeyPorts; };
  std::vector<int> listeners;
  for (int key = worker.first; key < worker.end; ++key) listeners.push_back(listen_on(is_ipv6(key), port_of(key)));
  std::uint32_t turn = 0;
  for (char byte = 0; read(worker.fd, &byte, 1) == 1;) {
    for (int round = 0; round < rounds_per_key; ++round, ++turn) {
      for (int key = worker.first; key < worker.end; ++key) {
        connect_and_close(address(is_ipv6(key), port_of(key), turn));
        accept_and_close(listeners[static_cast<std::size_t>(key - worker.first)]);
      }
    }
    if (write(worker.fd, "", 1) != 1) die("write");
  }
  _exit(0);
}

void many_keys(int keys, int connections) {
  allow_many_files();
  std::vector<Worker> workers;
  for (int first = 0; first < keys; first += kKeysOfWorker) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) die("socketpair");
    const Worker worker{first, std::min(keys, first + kKeysOfWorker), ends[1]};
    const pid_t pid = fork();
    if (pid < 0) die("fork");
    if (pid == 0) {
      for (const Worker& other : workers) close(other.fd);
      close(ends[0]);
      be_worker(worker, std::max(1, connections / keys));
    }
    close(ends[1]);
    workers.push_back({worker.first, worker.end, ends[0]});
  }
  do {  // one after another, so that their number does not matter
    for (const Worker& worker : workers) {
      char byte = 0;
      if (write(worker.fd, "", 1) != 1 || read(worker.fd, &byte, 1) != 1) die("a worker ended");
    }
    say_ready();
  } while (wait_for_line());
}

void many_processes(int processes) {
  const int listener = listen_on(false, kPort);
  for (int i = 0; i < processes; ++i) {
    const pid_t pid = fork();
    if (pid < 0) die("fork");
    if (pid == 0) {
      connect_and_close(address(false, kPort, static_cast<std::uint32_t>(i)));
      _exit(0);
    }
    accept_and_close(listener);
    int status = 0;
    if (waitpid(pid, &status, 0) != pid || status != 0) die("a process failed");
  }
  say_ready();
  while (wait_for_line()) continue;
}

[[noreturn]] void hold_namespace(int connections, int done) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  alarm(kLifetimeSeconds);
  if (unshare(CLONE_NEWNET) != 0) die("unshare");
  bring_loopback_up();
  const int listener = listen_on(false, kPort);
  for (int i = 0; i < connections; ++i) {
    connect_and_close(address(false, kPort));
    accept_and_close(listener);
  }
  close(listener);
  if (write(done, "", 1) != 1) die("write");
  while (true) pause();
}

void many_namespaces(int namespaces, int connections) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) die("pipe");
  std::vector<pid_t> holders;
  bool fine = true;
  for (int i = 0; i < namespaces && fine; ++i) {
    const pid_t pid = fork();
    if (pid < 0) die("fork");
    if (pid == 0) {
      close(ends[0]);
      hold_namespace(connections, ends[1]);
    }
    holders.push_back(pid);
    char byte = 0;
    fine = read(ends[0], &byte, 1) == 1;
  }
  if (fine) say_ready();
  while (fine && wait_for_line()) continue;
  for (const pid_t pid : holders) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
}

/// The caller removes the directories.
void many_cgroups(const std::string& parent, int cgroups) {
  const int listener = listen_on(false, kPort);
  for (int i = 0; i < cgroups; ++i) {
    const std::string directory = parent + "/job" + std::to_string(i) + ".service";
    if (mkdir(directory.c_str(), 0755) != 0) die(directory.c_str());
    enter_cgroup(directory);
    connect_and_close(address(false, kPort, static_cast<std::uint32_t>(i)));
    accept_and_close(listener);
  }
  enter_cgroup(parent);
  say_ready();
  while (wait_for_line()) continue;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kMost = 2'000'000;
  const std::string what = argc > 2 ? argv[1] : "";
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  alarm(kLifetimeSeconds);
  if (what == "keys" && argc == 4) {
    many_keys(number(argv[2], 2 * kKeyPorts), number(argv[3], kMost));
  } else if (what == "processes" && argc == 3) {
    many_processes(number(argv[2], kMost));
  } else if (what == "namespaces" && argc == 4) {
    many_namespaces(number(argv[2], 10'000), number(argv[3], 1000));
  } else if (what == "cgroups" && argc == 4) {
    many_cgroups(argv[2], number(argv[3], 100'000));
  } else {
    usage();
  }
  return 0;
}
