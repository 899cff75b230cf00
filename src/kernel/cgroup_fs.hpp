// SPDX-License-Identifier: Apache-2.0
// Finds where the cgroup tree is mounted, and translates a cgroup's id to its path and back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "kernel/mountinfo.hpp"
#include "kernel/procfs.hpp"

namespace twtrace::kernel {

/// The hierarchy that names the services of this host.
enum class HierarchyChoice { kNone, kV2, kV1Systemd };

/// The facts behind the choice.
struct HierarchyFacts {
  bool v2_mounted = false;
  bool v1_mounted = false;       ///< the v1 hierarchy name=systemd
  bool v2_has_children = false;  ///< its tree has more than the root
  bool v1_has_children = false;
  bool init_below_v2 = false;  ///< pid 1 is not in the root of v2, so systemd fills that tree
  bool init_below_v1 = false;
};

/// Chooses the only mounted hierarchy. If both are mounted, chooses the one into which systemd put pid 1. If that is
/// both, it chooses v2, because hybrid hosts fill both trees and sockets carry the v2 cgroup. Without systemd it
/// chooses v2, unless only the v1 tree has cgroups.
HierarchyChoice choose_hierarchy(const HierarchyFacts& facts);

/// One mounted cgroup hierarchy. Immutable: thread-safe.
class CgroupTree {
 public:
  /// `prefix` goes before the mount point; "" for this machine.
  CgroupTree(Mount mount, const std::filesystem::path& prefix);

  const std::filesystem::path& mount_point() const { return mount_point_; }
  /// The path of the cgroup with this id below the root of the hierarchy ("/" for the root itself). The id is that of
  /// bpf_get_current_cgroup_id: the kernfs node id, which is the inode number (64-bit kernels, since 5.5). Uses a file
  /// handle (CAP_DAC_READ_SEARCH), or walks over the tree without that privilege. kNotFound if the cgroup was removed.
  base::Result<std::string> path_of_id(std::uint64_t id) const;
  /// The id of a cgroup. kNotFound if it does not exist or is outside of the mount.
  base::Result<std::uint64_t> id_of_path(std::string_view path) const;
  /// A process in the cgroup itself, not below it. Empty if there is none.
  std::optional<std::uint32_t> process_in(std::string_view path) const;
  bool has_children() const;

 private:
  base::Result<std::string> path_by_handle(std::uint64_t id) const;
  base::Result<std::string> path_by_walk(std::uint64_t id) const;
  std::string below_root(std::string_view absolute) const;
  std::optional<std::string> absolute(std::string_view path) const;

  std::filesystem::path mount_point_;
  std::string root_;  ///< of the mount in the hierarchy; empty for the hierarchy's own root
};

/// The cgroup hierarchies of this machine. Immutable: thread-safe.
class CgroupFs {
 public:
  /// Reads self/mountinfo and 1/cgroup. `prefix` goes before every mount point, for trees in a test's directory.
  static base::Result<CgroupFs> open(const Procfs& procfs, const std::filesystem::path& prefix = {});

  HierarchyChoice choose() const { return choose_hierarchy(facts_); }
  /// The chosen tree; nullptr when no usable hierarchy is mounted.
  const CgroupTree* tree() const;

  /// The same as CgroupTree, in the chosen tree; kUnsupported if there is none.
  base::Result<std::string> path_of_id(std::uint64_t id) const;
  base::Result<std::uint64_t> id_of_path(std::string_view path) const;
  std::optional<std::uint32_t> process_in(std::string_view path) const;

 private:
  std::optional<CgroupTree> v2_;
  std::optional<CgroupTree> v1_;
  HierarchyFacts facts_;
};

}  // namespace twtrace::kernel
