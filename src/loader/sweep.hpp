// SPDX-License-Identifier: Apache-2.0
// Forgetting what is remembered of connections that are gone.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "loader/libbpf_ptr.hpp"
#include "loader/tracer_options.hpp"

struct twtrace_bpf;

namespace twtrace::loader {

/// Owns the BPF iterators through the maps of sockets and buckets, and how far each has come. The skeleton and the rows
/// have to outlive it. Not thread-safe.
class Sweep {
 public:
  /// kUnsupported when the kernel cannot iterate over maps. `slots`: how many slots the map of that name has.
  static base::Result<Sweep> attach(twtrace_bpf& skeleton, std::span<tw_row> rows, std::uint32_t slots);

  /// The next advance() begins at the beginning.
  void restart();
  /// Tracer::sweep().
  base::Result<bool> advance(std::vector<tw_swept_bucket>& gone, Pace pace);

 private:
  /// What is swept, in this order.
  enum class Stage { kSockets, kBuckets, kSlots };

  Sweep(twtrace_bpf& skeleton, std::span<tw_row> rows, std::uint32_t slots)
      : skeleton_(&skeleton), rows_(rows), slots_(slots) {}

  base::Result<bool> step(std::vector<tw_swept_bucket>& gone);
  base::Result<bool> sweep_map(std::vector<tw_swept_bucket>& gone);
  base::Result<void> sweep_slots(std::vector<tw_swept_bucket>& gone);
  void settle(bool is_socket, const tw_swept_bucket& swept, std::vector<tw_swept_bucket>& gone);

  twtrace_bpf* skeleton_;
  std::span<tw_row> rows_;
  std::uint32_t slots_;
  LinkPtr buckets_link_;
  LinkPtr sockets_link_;
  base::UniqueFd walk_;  ///< through the map of sockets, or of buckets
  Stage stage_ = Stage::kSockets;
};

}  // namespace twtrace::loader
