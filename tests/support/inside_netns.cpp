// SPDX-License-Identifier: Apache-2.0
#include "support/inside_netns.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cstring>
#include <exception>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace twtrace::test {
namespace {

constexpr int kNetnsCookie = 71;  // SO_NETNS_COOKIE

void on_thread(const std::function<void()>& action) {
  std::exception_ptr thrown;
  std::thread([&] {
    try {
      action();
    } catch (...) {
      thrown = std::current_exception();
    }
  }).join();
  if (thrown) std::rethrow_exception(thrown);
}

void bring_loopback_up() {
  const base::UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
  request.ifr_flags = IFF_UP;
  if (!fd || ioctl(fd.get(), SIOCSIFFLAGS, &request) != 0) throw std::runtime_error("cannot bring lo up");
}

// "Tcp: A B" and then "Tcp: 1 2".
void read_pairs(const std::string& path, std::map<std::string, std::uint64_t>& counters) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  for (std::string names, values; std::getline(file, names) && std::getline(file, values);) {
    std::istringstream name_words(names);
    std::istringstream value_words(values);
    std::string group;
    std::string again;
    name_words >> group;
    value_words >> again;
    group.back() = '.';
    for (std::string name, value; name_words >> name && value_words >> value;) {
      counters[group + name] = static_cast<std::uint64_t>(std::stoll(value));
    }
  }
}

std::uint64_t buckets_in_use() {
  std::ifstream file("/proc/thread-self/net/sockstat");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string word;
    std::uint64_t value = 0;
    words >> word;
    if (word != "TCP:") continue;
    while (words >> word >> value) {
      if (word == "tw") return value;
    }
  }
  throw std::runtime_error("no tw in sockstat");
}

template <class... Value>
void read_net_sysctl(const std::string& name, Value&... values) {
  std::ifstream file("/proc/sys/net/ipv4/" + name);
  if (!(file >> ... >> values)) throw std::runtime_error("cannot read " + name);
}

NetnsFacts own_facts() {
  NetnsFacts facts;
  struct stat status {};
  if (stat("/proc/thread-self/ns/net", &status) != 0) throw std::runtime_error("no namespace");
  facts.inum = static_cast<std::uint32_t>(status.st_ino);
  const base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  std::uint64_t cookie = 0;
  socklen_t length = sizeof(cookie);
  if (getsockopt(fd.get(), SOL_SOCKET, kNetnsCookie, &cookie, &length) == 0) facts.cookie = cookie;
  read_net_sysctl("tcp_max_tw_buckets", facts.limit);
  read_net_sysctl("ip_local_port_range", facts.first_port, facts.last_port);
  facts.in_use = buckets_in_use();
  read_pairs("/proc/thread-self/net/netstat", facts.counters);
  read_pairs("/proc/thread-self/net/snmp", facts.counters);
  return facts;
}

}  // namespace

void inside_netns(int netns_fd, const std::function<void()>& action) {
  on_thread([&] {
    if (setns(netns_fd, CLONE_NEWNET) != 0) throw std::runtime_error("cannot enter a network namespace");
    action();
  });
}

base::UniqueFd own_netns() {
  base::UniqueFd fd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!fd) throw std::runtime_error("cannot open the own network namespace");
  return fd;
}

base::UniqueFd new_netns() {
  base::UniqueFd fd;
  on_thread([&fd] {
    if (unshare(CLONE_NEWNET) != 0) throw std::runtime_error("cannot make a network namespace");
    bring_loopback_up();
    fd = own_netns();
  });
  return fd;
}

void write_net_sysctl(const std::string& name, const std::string& value) {
  std::ofstream file("/proc/sys/net/ipv4/" + name);
  if (!(file << value << std::flush)) throw std::runtime_error("cannot write " + name);
}

NetnsFacts netns_facts(int netns_fd) {
  NetnsFacts facts;
  inside_netns(netns_fd, [&facts] { facts = own_facts(); });
  return facts;
}

}  // namespace twtrace::test
