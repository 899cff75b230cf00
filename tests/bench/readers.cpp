// SPDX-License-Identifier: Apache-2.0
// What reading the kernel's lists costs: namespaces, with and without their counters, the tables that hold the buckets,
// and listening sockets. Makes as many of each as it takes, and prints tables and goals. Argument: the program
// tw_churn. Needs root.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.hpp"
#include "loader/features.hpp"
#include "loader/readers.hpp"
#include "loader/table_sums.hpp"
#include "support/inside_netns.hpp"
#include "support/tcp_pairs.hpp"

namespace {

using namespace twtrace;

constexpr int kRounds = 21;
constexpr double kNamespaceGoalNs = 300;
constexpr double kBucketGoalNs = 350;
constexpr double kHeadGoalNs = 15;
constexpr double kRunGoalUs = 1000;

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "readers: %s\n", what.c_str());
  std::exit(1);
}

template <class T>
T value_of(base::Result<T> result) {
  if (!result) die(result.error().what);
  return std::move(*result);
}

void say_goal(bool met, const std::string& what) { fmt::print("{}: {}\n", met ? "met" : "not met", what); }

void say_longest_run(const loader::Readers& readers, const std::string& subject) {
  const double longest_us = static_cast<double>(readers.runs().longest_ns) / 1e3;
  say_goal(longest_us <= kRunGoalUs,
           fmt::format("{}: longest run {:.0f} us; goal: at most {:.0f}", subject, longest_us, kRunGoalUs));
}

/// CPU time: the machine may have more to do.
double cpu_us() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

/// Median of some rounds, after one that warms up.
template <class Read>
double median_us(Read read) {
  std::vector<double> times;
  read();
  for (int round = 0; round < kRounds; ++round) {
    const double begin_us = cpu_us();
    read();
    times.push_back(cpu_us() - begin_us);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

void measure_namespaces(const loader::Features& features) {
  std::vector<base::UniqueFd> held;
  fmt::print("{:>10} {:>26} {:>26}\n", "namespaces", "with their counters", "without");
  for (const std::size_t wanted : {1U, 10U, 100U, 1000U, 10000U}) {
    auto readers = value_of(loader::Readers::open(features));
    auto& reader = readers.namespaces();
    for (std::size_t existing = value_of(reader.read(false)).size(); existing < wanted; ++existing) {
      held.push_back(test::new_netns());
    }
    const std::size_t count = value_of(reader.read(false)).size();
    const double with_us = median_us([&reader] { value_of(reader.read(true)); });
    const double without_us = median_us([&reader] { value_of(reader.read(false)); });
    const auto each_ns = [count](double us) { return us * 1e3 / static_cast<double>(count); };
    fmt::print("{:>10} {:>12.1f} us {:>7.0f} ns {:>12.1f} us {:>7.0f} ns\n", count, with_us, each_ns(with_us),
               without_us, each_ns(without_us));
    const std::string subject = fmt::format("{} namespaces", count);
    if (count >= 100) {
      say_goal(each_ns(with_us) <= kNamespaceGoalNs,
               fmt::format("{}: {:.0f} ns each with their counters; goal: at most {:.0f}", subject, each_ns(with_us),
                           kNamespaceGoalNs));
    }
    say_longest_run(readers, subject);
  }
}

void fill_table(const base::UniqueFd& netns, const std::string& churn, std::size_t buckets) {
  test::inside_netns(netns.get(), [&] {
    test::write_net_sysctl("tcp_max_tw_buckets", "2000000");
    test::write_net_sysctl("tcp_tw_reuse", "0");
    test::write_net_sysctl("ip_local_port_range", "1024 65535");
    if (std::system((churn + " --connections " + std::to_string(buckets) + " >&2").c_str()) != 0) die("no buckets");
  });
}

std::size_t heads_of(std::span<const tw_namespace_reading> namespaces) {
  std::size_t heads = 0;
  for (const tw_namespace_reading& reading : namespaces) {
    if (reading.own_table == 0) heads = reading.table_mask + std::size_t{1};
  }
  return heads;
}

void measure_table(const loader::Features& features, const std::string& churn) {
  fmt::print("{:>10} {:>10} {:>14} {:>14} {:>14} {:>14}\n", "buckets", "heads", "walked", "told", "ports counted",
             "binds walked");
  for (const std::size_t wanted : {0U, 1000U, 60000U, 200000U}) {
    const base::UniqueFd netns = test::new_netns();
    if (wanted != 0) fill_table(netns, churn, wanted);
    auto readers = value_of(loader::Readers::open(features));
    const auto namespaces = value_of(readers.namespaces().read(false));
    std::size_t told = 0;
    const auto read = [&](std::uint32_t what, const loader::TableReader::Handler& handler) {
      told = 0;
      return value_of(readers.table().read(namespaces, what, handler)).entries;
    };
    const double walked_us = median_us([&] { read(0, [](const tw_socket_reading&) {}); });
    const double told_us = median_us([&] { read(TW_READ_BUCKETS, [&told](const tw_socket_reading&) { ++told; }); });
    const double ports_us = median_us([&] {
      loader::PortTally tally;
      read(TW_READ_PORTS, [&tally](const tw_socket_reading& reading) { tally.add(reading); });
      tally.fullest(1);
    });
    const double binds_us = median_us([&] { value_of(readers.binds().read([](const tw_bind_reading&) {})); });
    const std::size_t buckets = read(0, [](const tw_socket_reading&) {});
    const std::size_t heads = heads_of(namespaces);
    fmt::print("{:>10} {:>10} {:>11.1f} us {:>11.1f} us {:>11.1f} us {:>11.1f} us\n", buckets, heads, walked_us,
               told_us, ports_us, binds_us);
    const double goal_us =
        (static_cast<double>(buckets) * kBucketGoalNs + static_cast<double>(heads) * kHeadGoalNs) / 1e3;
    say_goal(walked_us <= goal_us, fmt::format("{} sockets in {} chains: {:.0f} us; goal: at most {:.0f}", buckets,
                                               heads, walked_us, goal_us));
    say_longest_run(readers, fmt::format("{} sockets", buckets));
  }
}

void measure_listeners(const loader::Features& features) {
  const base::UniqueFd netns = test::new_netns();
  std::vector<base::UniqueFd> held;
  fmt::print("{:>10} {:>26}\n", "listeners", "read");
  for (const std::size_t wanted : {1U, 1000U, 10000U}) {
    test::inside_netns(netns.get(), [&] {
      while (held.size() < wanted) held.push_back(test::listen_on(static_cast<std::uint16_t>(10000 + held.size())));
    });
    auto readers = value_of(loader::Readers::open(features));
    const double read_us = median_us([&readers] { value_of(readers.listeners().read()); });
    const std::size_t count = value_of(readers.listeners().read()).size();
    fmt::print("{:>10} {:>12.1f} us {:>7.0f} ns\n", count, read_us, read_us * 1e3 / static_cast<double>(count));
    say_longest_run(readers, fmt::format("{} listeners", count));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) die("the program tw_churn is wanted as argument");
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const auto features = value_of(loader::probe_features("", {}));
  measure_table(features, argv[1]);
  measure_listeners(features);
  measure_namespaces(features);
  return 0;
}
