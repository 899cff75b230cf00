// SPDX-License-Identifier: Apache-2.0
#include "support/net_counters.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace twtrace::test {
namespace {

std::ifstream open_net_file(pid_t pid, const std::string& name) {
  const std::string path = "/proc/" + std::to_string(pid) + "/net/" + name;
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  return file;
}

// Two lines start with "TcpExt:". The first has the names, the second the values. Parses only the wanted ones, because
// in emulated machines the cost of these frequent reads matters.
template <std::size_t N>
std::array<std::int64_t, N> read_tcp_ext(pid_t pid, const std::array<std::string_view, N>& wanted) {
  std::ifstream file = open_net_file(pid, "netstat");
  std::string names_line;
  std::string values_line;
  while (std::getline(file, names_line) && std::getline(file, values_line)) {
    if (names_line.rfind("TcpExt:", 0) != 0) continue;
    std::array<std::int64_t, N> counters{};
    std::size_t found = 0;
    std::istringstream names(names_line);
    std::istringstream values(values_line);
    for (std::string name, value; names >> name && values >> value;) {
      const auto at = std::find(wanted.begin(), wanted.end(), name);
      if (at == wanted.end()) continue;
      counters.at(static_cast<std::size_t>(at - wanted.begin())) = std::stoll(value);
      ++found;
    }
    if (found == N) return counters;
  }
  throw std::runtime_error("counters are missing in netstat");
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
  constexpr std::array<std::string_view, 4> kWanted = {"TW", "TWKilled", "TWRecycled", "TCPTimeWaitOverflow"};
  const auto [tw, tw_killed, reused, overflow] = read_tcp_ext(pid, kWanted);
  return {tw, tw_killed, reused, overflow, read_in_use(pid)};
}

}  // namespace twtrace::test
