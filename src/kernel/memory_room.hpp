// SPDX-License-Identifier: Apache-2.0
// How much memory the cgroup of this process still allows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "kernel/procfs.hpp"

namespace twtrace::kernel {

/// The tightest limit on the memory of this process.
struct MemoryRoom {
  std::string file;         ///< holds the limit, e.g. "/sys/fs/cgroup/app.slice/memory.max"
  std::uint64_t limit = 0;  ///< bytes
  std::uint64_t free = 0;   ///< bytes left; page cache counts as free

  bool operator==(const MemoryRoom&) const = default;
};

/// The tightest limit of this process's memory cgroup and its ancestors, as far as they are mounted here: memory.max of
/// v2, memory.limit_in_bytes of v1. Nothing when none has a limit. Tests put `prefix` before every mount point.
std::optional<MemoryRoom> memory_room(const Procfs& procfs, const std::filesystem::path& prefix = {});

/// The smaller of `most` and free memory divided by `parts`; `most` when there is no limit. Pure.
std::uint64_t share_of(const std::optional<MemoryRoom>& room, std::uint64_t most, std::uint64_t parts);

}  // namespace twtrace::kernel
