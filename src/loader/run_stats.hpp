// SPDX-License-Identifier: Apache-2.0
// The kernel's statistics about BPF programs: runs, their cost, and skipped runs.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace twtrace::loader {

/// Program runs and their cost, summed over all programs.
struct RunStats {
  std::uint64_t run_ns = 0;  ///< 0 while kernel.bpf_stats_enabled is off
  std::uint64_t runs = 0;
  /// Empty before 5.12 (9ed9e9ba2337). Includes probes that fire inside another probe on the same CPU only since 6.7.
  std::optional<std::uint64_t> recursion_misses;
  std::map<std::string, std::uint64_t> run_ns_of;  ///< by program
};

/// Adds the statistics of a program. Adds nothing if the kernel has none.
void add_program(RunStats& sum, const std::string& name, int program_fd);

/// Adds the hits of a kprobe or kretprobe that the kernel skipped before the program ran. Adds nothing for other links,
/// or before 6.7.
void add_link(RunStats& sum, int link_fd);

}  // namespace twtrace::loader
