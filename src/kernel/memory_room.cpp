// SPDX-License-Identifier: Apache-2.0
#include "kernel/memory_room.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "kernel/file.hpp"
#include "kernel/mountinfo.hpp"
#include "kernel/text.hpp"

namespace twtrace::kernel {
namespace {

namespace fs = std::filesystem;

/// File names of one cgroup version.
struct Names {
  const char* limit = nullptr;
  const char* used = nullptr;
  std::array<std::string_view, 2> cache;  ///< lines of memory.stat: the kernel reclaims these first
};
constexpr Names kV2{"memory.max", "memory.current", {"active_file", "inactive_file"}};
constexpr Names kV1{"memory.limit_in_bytes", "memory.usage_in_bytes", {"total_active_file", "total_inactive_file"}};
/// v1 has no word for "no limit": it shows a huge number that depends on the page size.
constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 62U;

std::optional<std::uint64_t> number_in(const fs::path& file) {
  const auto text = read_file(file);
  return text ? parse_number<std::uint64_t>(trim(*text)) : std::nullopt;
}

std::uint64_t cache_of(const fs::path& directory, const Names& names) {
  const auto text = read_file(directory / "memory.stat");
  std::string_view rest = text ? std::string_view(*text) : std::string_view();
  std::uint64_t bytes = 0;
  while (!rest.empty()) {
    std::string_view line = cut(rest, '\n');
    const std::string_view name = cut_word(line);
    if (name != names.cache[0] && name != names.cache[1]) continue;
    bytes += parse_number<std::uint64_t>(trim(line)).value_or(0);
  }
  return bytes;
}

std::optional<MemoryRoom> room_in(const fs::path& directory, const Names& names) {
  const fs::path file = directory / names.limit;
  const auto limit = number_in(file);  // "max" is not a number: no limit
  const auto used = number_in(directory / names.used);
  if (!limit || !used || *limit >= kNoLimit) return std::nullopt;
  const std::uint64_t kept = *used - std::min(*used, cache_of(directory, names));
  return MemoryRoom{file.string(), *limit, *limit - std::min(*limit, kept)};
}

/// The directory of a cgroup below a mount point; the mount may show only a part of the hierarchy.
fs::path directory_of(std::string_view cgroup, const Mount& mount) {
  std::string_view below = cgroup;
  if (mount.root != "/") {
    below = cgroup.starts_with(mount.root) ? cgroup.substr(mount.root.size()) : std::string_view();
  }
  while (below.starts_with('/')) below.remove_prefix(1);
  return below.empty() ? fs::path(mount.mount_point) : fs::path(mount.mount_point) / below;
}

/// The path of this process in the hierarchy of v2 (`controller` is empty) or in that of a v1 controller.
std::optional<std::string> own_cgroup(std::string_view text, std::string_view controller) {
  while (!text.empty()) {
    std::string_view line = cut(text, '\n');
    const bool v2 = cut(line, ':') == "0";
    const std::string_view listed = cut(line, ':');
    if (controller.empty() ? v2 && listed.empty() : has_option(listed, controller)) return std::string(line);
  }
  return std::nullopt;
}

}  // namespace

std::uint64_t share_of(const std::optional<MemoryRoom>& room, std::uint64_t most, std::uint64_t parts) {
  return room ? std::min(most, room->free / parts) : most;
}

std::optional<MemoryRoom> memory_room(const Procfs& procfs, const fs::path& prefix) {
  const auto mounts = procfs.read("self/mountinfo");
  const auto cgroups = procfs.read("self/cgroup");
  if (!mounts || !cgroups) return std::nullopt;
  std::optional<MemoryRoom> tightest;
  for (const Mount& mount : parse_mountinfo(*mounts)) {
    const bool v2 = mount.fs_type == "cgroup2";
    if (!v2 && !(mount.fs_type == "cgroup" && has_option(mount.super_options, "memory"))) continue;
    const auto cgroup = own_cgroup(*cgroups, v2 ? "" : "memory");
    if (!cgroup) continue;
    fs::path directory = directory_of(*cgroup, mount);
    while (true) {
      const auto room = room_in(prefix.native() + directory.native(), v2 ? kV2 : kV1);
      if (room && (!tightest || room->free < tightest->free)) tightest = room;
      if (directory == mount.mount_point || directory == directory.parent_path()) break;
      directory = directory.parent_path();
    }
  }
  return tightest;
}

}  // namespace twtrace::kernel
