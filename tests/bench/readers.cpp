// SPDX-License-Identifier: Apache-2.0
// What reading the kernel's lists costs: namespaces, with and without their counters. Makes as many namespaces as it
// takes, and prints a table and its goals. Needs root.
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"
#include "loader/features.hpp"
#include "loader/readers.hpp"

namespace {

using namespace twtrace;
constexpr int kRounds = 21;
constexpr double kNamespaceGoalNs = 300;
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

double median(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// CPU time: the machine may have more to do.
double cpu_us() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

void say_goal(bool met, const std::string& what) { std::printf("%s: %s\n", met ? "met" : "not met", what.c_str()); }

base::UniqueFd open_own_netns() { return base::UniqueFd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)); }

/// Namespaces that exist for the measurement.
class Namespaces {
 public:
  void add(std::size_t count) {
    const base::UniqueFd own = open_own_netns();
    for (std::size_t i = 0; i < count; ++i) {
      if (unshare(CLONE_NEWNET) != 0) die("cannot make a network namespace");
      held_.push_back(open_own_netns());
      if (!held_.back()) die("too many open files");
    }
    if (setns(own.get(), CLONE_NEWNET) != 0) die("cannot return to the own network namespace");
  }

 private:
  std::vector<base::UniqueFd> held_;
};

struct Cost {
  std::size_t count = 0;
  double median_us = 0;
  double least_us = 0;
};

template <class Read>
Cost measure(Read read) {
  Cost cost;
  std::vector<double> times;
  read();
  for (int round = 0; round < kRounds; ++round) {
    const double begin_us = cpu_us();
    cost.count = read();
    times.push_back(cpu_us() - begin_us);
  }
  cost.median_us = median(times);
  cost.least_us = times.front();
  return cost;
}

void measure_namespaces(const loader::Features& features, const std::vector<std::size_t>& counts) {
  Namespaces namespaces;
  std::printf("%10s %22s %22s %14s\n", "namespaces", "with counters", "without", "longest run");
  for (const std::size_t wanted : counts) {
    auto readers = value_of(loader::Readers::open(features));
    const auto read = [&readers](bool counters) { return value_of(readers.namespaces().read(counters)).size(); };
    const std::size_t existing = read(false);
    if (existing < wanted) namespaces.add(wanted - existing);
    const Cost with = measure([&read] { return read(true); });
    const double longest_us = static_cast<double>(readers.runs().longest_ns) / 1000;
    const Cost without = measure([&read] { return read(false); });
    const auto each = [](const Cost& cost) { return cost.median_us * 1000 / static_cast<double>(cost.count); };
    std::printf("%10zu %10.1f us %6.0f ns %10.1f us %6.0f ns %11.0f us\n", with.count, with.median_us, each(with),
                without.median_us, each(without), longest_us);
    if (with.count >= 100) {
      say_goal(each(with) <= kNamespaceGoalNs, std::to_string(with.count) +
                                                   " namespaces: " + std::to_string(std::lround(each(with))) +
                                                   " ns each with their counters; goal: at most 300");
    }
    say_goal(longest_us <= kRunGoalUs, std::to_string(with.count) + " namespaces: longest run " +
                                           std::to_string(std::lround(longest_us)) + " us; goal: at most 1000");
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::size_t> counts;
  for (int i = 1; i < argc; ++i) counts.push_back(std::strtoul(argv[i], nullptr, 10));
  if (counts.empty()) counts = {1, 10, 100, 1000, 10000};
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  measure_namespaces(value_of(loader::probe_features("", {})), counts);
  return 0;
}
