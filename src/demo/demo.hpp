// SPDX-License-Identifier: Apache-2.0
// Three services of known behaviour around a TIME_WAIT table that is too small, away from everything else.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "demo/child.hpp"

namespace twtrace::demo {

/// Owns the process that keeps the stage (stage.hpp). That process has the privileges to remove it, so this one may
/// drop its own: the keeper removes the stage when this object or this process goes away. Move-only, not thread-safe.
class Demo {
 public:
  /// Everything listens and waits for begin(). Every process but the keeper runs `reduce` when it is prepared; it must
  /// not become one that the keeper may not kill. kPermission when a privilege is missing.
  static base::Result<Demo> start(const Reduce& reduce);

  Demo(Demo&&) noexcept = default;
  Demo& operator=(Demo&&) = delete;
  /// Waits until the stage is removed.
  ~Demo();

  /// Lets the traffic flow.
  void begin() { keeper_.start(); }

  /// Inode number of the namespace.
  std::uint32_t netns() const { return netns_; }
  /// Why services have no names of their own; empty when they have.
  const std::string& unnamed() const { return unnamed_; }
  /// Three lines: what there is to see.
  static std::string explanation();

 private:
  Demo(Child keeper, base::UniqueFd end, std::uint32_t netns, std::string unnamed)
      : keeper_(std::move(keeper)), end_(std::move(end)), netns_(netns), unnamed_(std::move(unnamed)) {}

  Child keeper_;
  base::UniqueFd end_;  ///< of a pipe: when it is closed, the keeper ends
  std::uint32_t netns_ = 0;
  std::string unnamed_;
};

}  // namespace twtrace::demo
