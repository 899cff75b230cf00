// SPDX-License-Identifier: Apache-2.0
// The BPF iterators of a scan: through the sockets of a namespace, and through what is remembered of connections.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "loader/libbpf_ptr.hpp"
#include "loader/tracer.hpp"

struct twtrace_bpf;

namespace twtrace::loader {

/// Owns the iterators and how far each has come. The skeleton and the rows have to outlive it. Not thread-safe.
class TableWalk {
 public:
  /// kUnsupported when the kernel cannot iterate over sockets or maps. `slots`: how many slots the map of that name
  /// has.
  static base::Result<TableWalk> attach(twtrace_bpf& skeleton, std::span<tw_row> rows, std::uint32_t slots);

  /// The next calls begin at the beginning.
  void restart();
  /// Tracer::scan_current_netns().
  base::Result<bool> scan_current_netns(std::uint32_t netns_slot, Pace pace);
  /// Tracer::leave_netns().
  void leave_netns() { sockets_walk_.reset(); }
  /// Tracer::sweep().
  base::Result<bool> sweep(const SightOf& sight, std::vector<tw_swept_bucket>& gone, Pace pace);

 private:
  /// What is swept, in this order.
  enum class Stage { kSockets, kBuckets, kSlots };

  /// A connection that two scans have not found, wherever it is kept.
  struct Unseen {
    bool is_socket;
    tw_swept_bucket swept;
  };

  TableWalk(twtrace_bpf& skeleton, std::span<tw_row> rows, std::uint32_t slots)
      : skeleton_(&skeleton), rows_(rows), slots_(slots) {}

  base::Result<bool> sweep_once(const SightOf& sight, std::vector<tw_swept_bucket>& gone);
  base::Result<bool> sweep_map(const SightOf& sight, std::vector<tw_swept_bucket>& gone);
  base::Result<void> sweep_slots(const SightOf& sight, std::vector<tw_swept_bucket>& gone);
  std::uint32_t scans_since(const tw_bucket& known) const;
  bool is_over(const Unseen& unseen, const SightOf& sight) const;
  void settle(const Unseen& unseen, const SightOf& sight, std::vector<tw_swept_bucket>& gone);

  twtrace_bpf* skeleton_;
  std::span<tw_row> rows_;
  std::uint32_t slots_;
  LinkPtr sockets_link_;
  LinkPtr swept_buckets_link_;
  LinkPtr swept_sockets_link_;
  base::UniqueFd sockets_walk_;  ///< through the sockets of netns_; closed when none is under way
  std::uint32_t netns_ = 0;
  base::UniqueFd sweep_walk_;  ///< through the map of sockets, or of buckets
  Stage stage_ = Stage::kSockets;
};

}  // namespace twtrace::loader
