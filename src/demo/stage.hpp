// SPDX-License-Identifier: Apache-2.0
// The demo's private network namespace, its services and its traffic.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "demo/cgroups.hpp"
#include "demo/child.hpp"

namespace twtrace::demo {

/// tcp_max_tw_buckets of the demo's namespace: what some clouds ship.
inline constexpr std::uint32_t kLimit = 5000;

/// Owns the demo's processes, cgroups and, by its processes, its network namespace. All of it goes away with it, which
/// takes the privileges that made it. Move-only, not thread-safe; the calling process itself is not changed.
class Stage {
 public:
  /// Everything listens and waits for begin(). The cgroups are named after the process `owner`. Every process of the
  /// stage runs `reduce` when it is prepared.
  static base::Result<Stage> build(pid_t owner, Reduce reduce);

  Stage(Stage&&) noexcept = default;

  /// Lets the traffic flow.
  void begin();

  /// Inode number of the namespace.
  std::uint32_t netns() const { return netns_; }
  /// Why services have no names of their own; empty when they have.
  const std::string& unnamed() const { return unnamed_; }
  /// Three lines: what there is to see.
  static std::string explanation();

 private:
  Stage() = default;

  void make_cgroups(pid_t owner);
  void give_up_cgroups(const std::string& reason);
  base::Result<void> spawn_all();

  Reduce reduce_;
  std::optional<Cgroups> cgroups_;  ///< before the children: they must be gone when it is removed
  std::vector<Child> children_;
  std::uint32_t netns_ = 0;
  std::string unnamed_;
};

}  // namespace twtrace::demo
