// SPDX-License-Identifier: Apache-2.0
#include "app/own_process.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <iterator>
#include <system_error>

#include "base/clock.hpp"
#include "kernel/procfs.hpp"

namespace twtrace::app {
namespace {

constexpr double kNs = 1e-9;

std::uint64_t count_open_fds() {
  std::error_code error;
  const std::filesystem::directory_iterator files("/proc/self/fd", error);
  if (error) return 0;
  const auto count = std::distance(begin(files), end(files));
  return static_cast<std::uint64_t>(count - 1);  // one is that of the directory
}

/// Rounded, because the two clocks are not read at the same instant.
double start_time_s() {
  const auto stat = kernel::Procfs().stat(static_cast<std::uint32_t>(::getpid()));
  if (!stat) return 0;
  const base::SystemClock clock;
  const double booted_s = static_cast<double>(clock.unix_ms()) / 1000 - static_cast<double>(clock.boottime_ns()) * kNs;
  return std::round(booted_s + static_cast<double>(stat->start_ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK)));
}

}  // namespace

output::ProcessMetrics own_process(const model::Snapshot& head) {
  static const double kStartedS = start_time_s();
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  output::ProcessMetrics process;
  process.cpu_seconds = static_cast<double>(base::process_cpu_ns()) * kNs;
  process.resident_bytes = head.cost.rss_bytes;
  process.open_fds = count_open_fds();
  process.max_fds = files.rlim_cur;
  process.start_time_s = kStartedS;
  return process;
}

}  // namespace twtrace::app
