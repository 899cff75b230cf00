// SPDX-License-Identifier: Apache-2.0
// Forgetting what is remembered of connections that are gone.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "loader/growing_array.hpp"
#include "loader/swept_bucket.hpp"
#include "loader/tracer_options.hpp"

struct twtrace_bpf;

namespace twtrace::loader {

/// Knows how far a sweep through the maps of sockets and buckets and through the slots has come. It reads the maps with
/// BPF_MAP_LOOKUP_BATCH, which every kernel since 5.6 has: a kernel may refuse iterators through values of maps, and
/// those need its own BTF. The skeleton and the rows have to outlive it. Not thread-safe.
class Sweep {
 public:
  /// `slots`: how many slots the map of that name has. `slice`: how many entries of maps Pace::kSlice goes through.
  Sweep(twtrace_bpf& skeleton, GrowingArray<tw_row>& rows, std::uint32_t slots, std::uint32_t slice);

  /// The next advance() begins at the beginning.
  void restart();
  /// Tracer::sweep().
  base::Result<bool> advance(std::vector<SweptBucket>& gone, Pace pace);

 private:
  /// What is swept, in this order.
  enum class Stage { kSockets, kBuckets, kSlots };

  base::Result<bool> step(std::vector<SweptBucket>& gone);
  template <class Value>
  base::Result<bool> sweep_map(int map, std::vector<SweptBucket>& gone);
  base::Result<void> sweep_slots(std::vector<SweptBucket>& gone);
  bool is_stale(std::uint32_t scan) const;
  void settle(bool is_socket, const SweptBucket& swept, std::vector<SweptBucket>& gone);

  twtrace_bpf* skeleton_;
  GrowingArray<tw_row>* rows_;
  std::uint32_t slots_;
  std::uint32_t slice_;
  std::uint32_t batch_;                    ///< entries of a map that are asked for at a time
  std::uint64_t looked_at_ = 0;            ///< entries of maps, by this advance()
  std::optional<std::uint32_t> position_;  ///< in the map, as the kernel said; empty: at its beginning
  Stage stage_ = Stage::kSockets;
};

}  // namespace twtrace::loader
