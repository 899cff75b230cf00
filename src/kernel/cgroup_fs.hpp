// SPDX-License-Identifier: Apache-2.0
// Where the cgroup tree is mounted, and the way from a cgroup's id to its path and back.
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

/// Which hierarchy names the services of this host.
enum class HierarchyChoice { kNone, kV2, kV1Systemd };

/// What the choice rests on.
struct HierarchyFacts {
  bool v2_mounted = false;
  bool v1_mounted = false;       ///< the v1 hierarchy name=systemd
  bool v2_has_children = false;  ///< its tree is more than its root
  bool v1_has_children = false;
  bool init_below_v2 = false;  ///< pid 1 is not in the root of v2: systemd fills that tree
  bool init_below_v1 = false;
};

/// The only one mounted; with both, the one that systemd put pid 1 into (v2 when both: hybrid hosts fill both trees and
/// sockets carry the v2 cgroup), and without systemd v2, unless only the v1 tree has cgroups.
HierarchyChoice choose_hierarchy(const HierarchyFacts& facts);

/// One mounted cgroup hierarchy. Immutable: thread-safe.
class CgroupTree {
 public:
  /// `prefix` is put before the mount point: "" for this machine.
  CgroupTree(Mount mount, const std::filesystem::path& prefix);

  const std::filesystem::path& mount_point() const { return mount_point_; }
  /// The path of the cgroup with this id below the root of the hierarchy ("/" for the root itself). The id is that of
  /// bpf_get_current_cgroup_id: the kernfs node id, which is the inode number (64-bit kernels, since 5.5). By file
  /// handle (CAP_DAC_READ_SEARCH); without the privilege by a walk over the tree. kNotFound when the cgroup was
  /// removed.
  base::Result<std::string> path_of_id(std::uint64_t id) const;
  /// The id of a cgroup. kNotFound when there is none, or it lies outside of what is mounted.
  base::Result<std::uint64_t> id_of_path(std::string_view path) const;
  /// Some process in the cgroup itself, not below it. Nothing when there is none.
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
  /// Reads self/mountinfo and 1/cgroup. `prefix` is put before every mount point, for trees in a test's directory.
  static base::Result<CgroupFs> open(const Procfs& procfs, const std::filesystem::path& prefix = {});

  HierarchyChoice choose() const { return choose_hierarchy(facts_); }
  const HierarchyFacts& facts() const { return facts_; }
  /// The chosen tree; nullptr when no usable hierarchy is mounted.
  const CgroupTree* tree() const;

  /// As CgroupTree, in the chosen tree; kUnsupported when there is none.
  base::Result<std::string> path_of_id(std::uint64_t id) const;
  base::Result<std::uint64_t> id_of_path(std::string_view path) const;
  std::optional<std::uint32_t> process_in(std::string_view path) const;

 private:
  std::optional<CgroupTree> v2_;
  std::optional<CgroupTree> v1_;
  HierarchyFacts facts_;
};

}  // namespace twtrace::kernel
