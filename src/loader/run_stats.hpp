// SPDX-License-Identifier: Apache-2.0
// What the kernel counts of the runs of BPF programs: how many, what they cost, and those that it skipped.
#pragma once

#include <cstdint>
#include <optional>

namespace twtrace::loader {

/// Program runs and what they cost, summed over all programs.
struct RunStats {
  std::uint64_t run_ns = 0;  ///< 0 while kernel.bpf_stats_enabled is off
  std::uint64_t runs = 0;
  /// Empty before 5.12 (9ed9e9ba2337). A probe that fires inside another one of its CPU is among them since 6.7 only.
  std::optional<std::uint64_t> recursion_misses;
};

/// Adds what the kernel says of a program; nothing when it says nothing.
void add_program(RunStats& sum, int program_fd);

/// Adds the runs that a kprobe or kretprobe was skipped before its program was asked; nothing for other links, and
/// before 6.7.
void add_link(RunStats& sum, int link_fd);

}  // namespace twtrace::loader
