// SPDX-License-Identifier: Apache-2.0
// Three services of known behaviour around a TIME_WAIT table that is too small, away from everything else.
#pragma once

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

/// Owns the demo's processes, cgroups and, by its processes, its network namespace: all of it goes away with it.
/// Move-only, not thread-safe; the calling process itself is not changed in any way.
class Demo {
 public:
  /// Everything listens and waits for begin(). kPermission when a privilege is missing.
  static base::Result<Demo> start();

  Demo(Demo&&) noexcept = default;

  /// Lets the traffic flow.
  void begin();

  /// Inode number of the namespace.
  std::uint32_t netns() const { return netns_; }
  /// Why services have no names of their own; empty when they have.
  const std::string& unnamed() const { return unnamed_; }
  /// Three lines: what there is to see.
  static std::string explanation();

 private:
  Demo() = default;

  void make_cgroups();
  void give_up_cgroups(const std::string& reason);
  base::Result<void> spawn_all();

  std::optional<Cgroups> cgroups_;  ///< before the children: they must be gone when it is removed
  std::vector<Child> children_;
  std::uint32_t netns_ = 0;
  std::string unnamed_;
};

}  // namespace twtrace::demo
