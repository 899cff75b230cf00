// SPDX-License-Identifier: Apache-2.0
// Three services with known behaviour and a TIME_WAIT table that is too small, isolated from everything else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "demo/cgroups.hpp"
#include "demo/child.hpp"

namespace twtrace::demo {

/// tcp_max_tw_buckets of the demo's namespace. Some clouds ship this value.
inline constexpr std::uint32_t kLimit = 5000;

/// Owns the demo's processes, cgroups and network namespace (through its processes). Destruction removes all of them.
/// Move-only, not thread-safe. Does not change the calling process in any way.
class Demo {
 public:
  /// Starts everything, which then listens and waits for begin(). kPermission if a privilege is missing.
  static base::Result<Demo> start();

  Demo(Demo&&) noexcept = default;

  /// Starts the traffic.
  void begin();

  /// Inode number of the namespace.
  std::uint32_t netns() const { return netns_; }
  /// Why services have no names; empty if they have.
  const std::string& unnamed() const { return unnamed_; }
  /// Three lines that explain what the demo shows.
  static std::string explanation();

 private:
  Demo() = default;

  void make_cgroups();
  void give_up_cgroups(const std::string& reason);
  base::Result<void> spawn_all();

  std::optional<Cgroups> cgroups_;  ///< declared before the children, which must be gone when it is removed
  std::vector<Child> children_;
  std::uint32_t netns_ = 0;
  std::string unnamed_;
};

}  // namespace twtrace::demo
