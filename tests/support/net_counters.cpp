// SPDX-License-Identifier: Apache-2.0
#include "support/net_counters.hpp"

#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

namespace twtrace::test {
namespace {

std::ifstream open_net_file(pid_t pid, const std::string& name) {
  const std::string path = "/proc/" + std::to_string(pid) + "/net/" + name;
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  return file;
}

// Two lines that start with "TcpExt:": names, then values.
std::map<std::string, std::int64_t> read_tcp_ext(pid_t pid) {
  std::ifstream file = open_net_file(pid, "netstat");
  std::map<std::string, std::int64_t> counters;
  std::string names_line;
  std::string values_line;
  while (std::getline(file, names_line) && std::getline(file, values_line)) {
    if (names_line.rfind("TcpExt:", 0) != 0) continue;
    std::istringstream names(names_line);
    std::istringstream values(values_line);
    std::string name;
    std::string value;
    names >> name;
    values >> value;
    while (names >> name && values >> value) counters[name] = std::stoll(value);
  }
  return counters;
}

// "TCP: inuse 1 orphan 0 tw 2 alloc 3 mem 0"
std::int64_t read_in_use(pid_t pid) {
  std::ifstream file = open_net_file(pid, "sockstat");
  std::string line;
  while (std::getline(file, line)) {
    if (line.rfind("TCP:", 0) != 0) continue;
    std::istringstream words(line);
    std::string word;
    std::int64_t value = 0;
    words >> word;
    while (words >> word >> value) {
      if (word == "tw") return value;
    }
  }
  throw std::runtime_error("no tw in sockstat");
}

}  // namespace

NetCounters operator-(const NetCounters& after, const NetCounters& before) {
  return {after.tw - before.tw, after.tw_killed - before.tw_killed, after.reused - before.reused,
          after.overflow - before.overflow, after.in_use - before.in_use};
}

NetCounters read_counters(pid_t pid) {
  const auto ext = read_tcp_ext(pid);
  return {ext.at("TW"), ext.at("TWKilled"), ext.at("TWRecycled"), ext.at("TCPTimeWaitOverflow"), read_in_use(pid)};
}

}  // namespace twtrace::test
