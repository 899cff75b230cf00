// SPDX-License-Identifier: Apache-2.0
// What a tracer is opened with.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "loader/backend.hpp"
#include "loader/map_sizes.hpp"

namespace twtrace::loader {

/// How far one call of a sweep goes.
enum class Pace {
  kWhole,  ///< to the end
  kSlice,  ///< some TracerOptions::sweep_slice further: a few milliseconds, whatever the size of the maps
};

/// What a Tracer loads, and how much it may take.
struct TracerOptions {
  std::optional<Backend> backend;  ///< empty: the first that works
  std::string btf_path;            ///< BTF of this kernel for hosts that carry none; empty: the kernel's own
  MapSizes sizes;
  std::uint16_t match_local_port = 0;  ///< 0: all. Others are counted too, in rows with matched = 0
  std::uint16_t match_remote_port = 0;
  bool cgroup_v1 = false;             ///< services live in the v1 hierarchy name=systemd
  std::uint32_t sweep_slice = 16384;  ///< map entries that Pace::kSlice goes through; not 0
  /// Called before the maps of each backend are made: the kernel frees those of a backend that did not work later.
  std::function<void()> before_backend;
};

}  // namespace twtrace::loader
