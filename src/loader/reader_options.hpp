// SPDX-License-Identifier: Apache-2.0
// What the reader programs are given, and what they cost.
#pragma once

#include <linux/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace twtrace::loader {

/// The parts of a tracer that the readers need to credit buckets to its rows. Valid as long as the tracer.
struct TracerState {
  int rows = -1;  ///< descriptors of the maps of these names
  int slots = -1;
  int sockets = -1;
  int buckets = -1;
  std::uint32_t slot_mask = 0;           ///< how many slots there are, less one
  const volatile __u32* scan = nullptr;  ///< generation of its running or last scan
};

/// How the reader programs run.
struct ReaderOptions {
  std::string btf_path;  ///< BTF of this kernel for hosts that carry none; empty: the kernel's own
  /// How long a run may take, and keep its CPU, in nanoseconds. It checks the clock only now and then, so it takes some
  /// microseconds more. 0 gives the shortest possible runs.
  std::uint64_t run_ns = 500'000;
  std::optional<TracerState> tracer;  ///< empty: the readers know no bucket
};

/// The runs of reader programs so far, including interruptions.
struct ReaderRuns {
  std::uint64_t count = 0;
  std::uint64_t total_ns = 0;
  std::uint64_t longest_ns = 0;
};

}  // namespace twtrace::loader
