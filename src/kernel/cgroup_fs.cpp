// SPDX-License-Identifier: Apache-2.0
#include "kernel/cgroup_fs.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "base/unique_fd.hpp"
#include "kernel/cgroup.hpp"
#include "kernel/file.hpp"
#include "kernel/text.hpp"

namespace twtrace::kernel {
namespace {

constexpr int kFileIdKernfs = 0xfe;  // FILEID_KERNFS, linux/exportfs.h: a handle is the 64-bit node id
constexpr std::size_t kMaxWalkedCgroups = 262'144;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// Calls visit(name, inode) for every subdirectory until it returns true. Returns whether it did.
template <class Visit>
bool any_child(const std::string& path, Visit visit) {
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(path.c_str()));
  if (!directory) return false;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (entry->d_type != DT_DIR || name == "." || name == "..") continue;
    if (visit(name, std::uint64_t{entry->d_ino})) return true;
  }
  return false;
}

// In another file system the handle means nothing, and "stale" does not mean removed.
bool is_cgroup_fs(int fd) {
  struct statfs fs {};
  return ::fstatfs(fd, &fs) == 0 && (fs.f_type == CGROUP2_SUPER_MAGIC || fs.f_type == CGROUP_SUPER_MAGIC);
}

// The link of a removed directory ends in " (deleted)", but a cgroup may really have such a name, too.
base::Result<std::string> path_of_fd(int fd) {
  constexpr std::string_view kDeleted = " (deleted)";
  auto target = read_link("/proc/self/fd/" + std::to_string(fd));
  if (!target || !target->ends_with(kDeleted)) return target;
  struct stat unused {};
  if (::lstat(target->c_str(), &unused) != 0) target->resize(target->size() - kDeleted.size());
  return target;
}

// The last mount of a kind that shows the hierarchy's root, otherwise the last one, because it may cover earlier ones.
template <class Predicate>
std::optional<CgroupTree> find_tree(const std::vector<Mount>& mounts, const std::filesystem::path& prefix,
                                    Predicate matches) {
  const Mount* best = nullptr;
  for (const Mount& mount : mounts) {
    if (matches(mount) && (best == nullptr || mount.root == "/" || best->root != "/")) best = &mount;
  }
  if (best == nullptr) return std::nullopt;
  return CgroupTree(*best, prefix);
}

bool is_below_root(std::string_view cgroup_text, std::string_view controllers) {
  return process_cgroup(cgroup_text, controllers).value_or("/") != "/";
}

tl::unexpected<base::Error> no_hierarchy() {
  return base::fail(base::ErrorCode::kUnsupported, "no cgroup hierarchy with services is mounted",
                    "mount -t cgroup2 none /sys/fs/cgroup");
}

}  // namespace

HierarchyChoice choose_hierarchy(const HierarchyFacts& facts) {
  if (!facts.v2_mounted) return facts.v1_mounted ? HierarchyChoice::kV1Systemd : HierarchyChoice::kNone;
  if (!facts.v1_mounted || facts.init_below_v2) return HierarchyChoice::kV2;
  const bool only_v1_is_used = facts.init_below_v1 || (facts.v1_has_children && !facts.v2_has_children);
  return only_v1_is_used ? HierarchyChoice::kV1Systemd : HierarchyChoice::kV2;
}

CgroupTree::CgroupTree(Mount mount, const std::filesystem::path& prefix)
    : mount_point_(prefix.native() + mount.mount_point),
      root_(mount.root == "/" ? std::string() : std::move(mount.root)) {}

base::Result<std::string> CgroupTree::path_of_id(std::uint64_t id) const {
  auto path = path_by_handle(id);
  if (path || path.error().code == base::ErrorCode::kNotFound) return path;
  return path_by_walk(id);
}

base::Result<std::string> CgroupTree::path_by_handle(std::uint64_t id) const {
  const base::UniqueFd mount(::open(mount_point_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!mount) return fail_path(errno, mount_point_);
  if (!is_cgroup_fs(mount.get())) {
    return base::fail(base::ErrorCode::kUnsupported, mount_point_.string() + " is not a cgroup file system");
  }
  alignas(file_handle) std::array<char, sizeof(file_handle) + sizeof id> buffer{};
  auto* handle = reinterpret_cast<file_handle*>(buffer.data());
  handle->handle_bytes = sizeof id;
  handle->handle_type = kFileIdKernfs;
  std::memcpy(buffer.data() + offsetof(file_handle, f_handle), &id, sizeof id);
  const base::UniqueFd cgroup(::open_by_handle_at(mount.get(), handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!cgroup) {
    const int saved_errno = errno;
    auto error = base::fail_errno(saved_errno, "cgroup " + std::to_string(id));
    if (saved_errno == ESTALE) error.value().code = base::ErrorCode::kNotFound;
    return error;
  }
  auto target = path_of_fd(cgroup.get());
  if (!target) return target;
  return below_root(*target);
}

// Walks depth first, over directories only. readdir already gives the inode number, so nothing is opened twice.
base::Result<std::string> CgroupTree::path_by_walk(std::uint64_t id) const {
  struct stat top {};
  if (::stat(mount_point_.c_str(), &top) != 0) return fail_path(errno, mount_point_);
  if (top.st_ino == id) return below_root(mount_point_.native());
  std::vector<std::string> pending{mount_point_.native()};
  for (std::size_t walked = 0; !pending.empty() && walked < kMaxWalkedCgroups; ++walked) {
    const std::string directory = std::move(pending.back());
    pending.pop_back();
    std::string hit;
    any_child(directory, [&](std::string_view name, std::uint64_t inode) {
      pending.push_back(directory + '/' + std::string(name));
      if (inode == id) hit = pending.back();
      return !hit.empty();
    });
    if (!hit.empty()) return below_root(hit);
  }
  return base::fail(base::ErrorCode::kNotFound, "cgroup " + std::to_string(id) + " was removed");
}

// A cgroup outside of a bind mount cannot be reached from the mount point. Its link is already the path in the
// hierarchy.
std::string CgroupTree::below_root(std::string_view absolute) const {
  const std::string_view top = mount_point_.native();
  if (absolute == top) return root_.empty() ? "/" : root_;
  if (absolute.starts_with(top) && absolute[top.size()] == '/') return root_ + std::string(absolute.substr(top.size()));
  return std::string(absolute);
}

// Empty for a path outside of the mount.
std::optional<std::string> CgroupTree::absolute(std::string_view path) const {
  if (path.ends_with('/')) path.remove_suffix(1);
  const bool inside = path.starts_with(root_) && (path.size() == root_.size() || path[root_.size()] == '/');
  return inside ? std::optional(mount_point_.native() + std::string(path.substr(root_.size()))) : std::nullopt;
}

base::Result<std::uint64_t> CgroupTree::id_of_path(std::string_view path) const {
  const auto directory = absolute(path);
  if (!directory) {
    return base::fail(base::ErrorCode::kNotFound,
                      "cgroup " + std::string(path) + " is outside of " + mount_point_.string());
  }
  struct stat status {};
  if (::stat(directory->c_str(), &status) != 0) return fail_path(errno, *directory);
  return std::uint64_t{status.st_ino};
}

std::optional<std::uint32_t> CgroupTree::process_in(std::string_view path) const {
  const auto directory = absolute(path);
  const auto text = directory ? read_file(*directory + "/cgroup.procs") : base::Result<std::string>("");
  std::string_view rest = text ? std::string_view(*text) : std::string_view();
  const auto pid = parse_number<std::uint32_t>(cut(rest, '\n'));
  return pid == 0U ? std::nullopt : pid;  // 0: a process of another pid namespace
}

bool CgroupTree::has_children() const {
  return any_child(mount_point_.native(), [](std::string_view, std::uint64_t) { return true; });
}

base::Result<CgroupFs> CgroupFs::open(const Procfs& procfs, const std::filesystem::path& prefix) {
  const auto text = procfs.read("self/mountinfo");
  if (!text) return tl::unexpected(text.error());
  const auto mounts = parse_mountinfo(*text);
  CgroupFs found;
  found.v2_ = find_tree(mounts, prefix, [](const Mount& mount) { return mount.fs_type == "cgroup2"; });
  found.v1_ = find_tree(mounts, prefix, [](const Mount& mount) {
    return mount.fs_type == "cgroup" && has_option(mount.super_options, "name=systemd");
  });
  const std::string init = procfs.read("1/cgroup").value_or("");
  found.facts_ = {.v2_mounted = found.v2_.has_value(),
                  .v1_mounted = found.v1_.has_value(),
                  .v2_has_children = found.v2_ && found.v2_->has_children(),
                  .v1_has_children = found.v1_ && found.v1_->has_children(),
                  .init_below_v2 = is_below_root(init, ""),
                  .init_below_v1 = is_below_root(init, "name=systemd")};
  return found;
}

const CgroupTree* CgroupFs::tree() const {
  switch (choose()) {
    case HierarchyChoice::kV2:
      return &*v2_;
    case HierarchyChoice::kV1Systemd:
      return &*v1_;
    case HierarchyChoice::kNone:
      break;
  }
  return nullptr;
}

base::Result<std::string> CgroupFs::path_of_id(std::uint64_t id) const {
  const CgroupTree* chosen = tree();
  if (chosen == nullptr) return no_hierarchy();
  return chosen->path_of_id(id);
}

base::Result<std::uint64_t> CgroupFs::id_of_path(std::string_view path) const {
  const CgroupTree* chosen = tree();
  if (chosen == nullptr) return no_hierarchy();
  return chosen->id_of_path(path);
}

std::optional<std::uint32_t> CgroupFs::process_in(std::string_view path) const {
  const CgroupTree* chosen = tree();
  return chosen != nullptr ? chosen->process_in(path) : std::nullopt;
}

}  // namespace twtrace::kernel
