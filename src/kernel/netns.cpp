// SPDX-License-Identifier: Apache-2.0
#include "kernel/netns.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <set>

#include "base/unique_fd.hpp"
#include "kernel/file.hpp"
#include "kernel/mountinfo.hpp"
#include "kernel/text.hpp"

namespace twtrace::kernel {
namespace {

constexpr std::size_t kMaxMountNamespaces = 1024;
/// The inode number of the first PID namespace: PROC_PID_INIT_INO of include/linux/proc_ns.h, in all versions.
constexpr std::uint32_t kFirstPidNamespace = 0xEFFFFFFCU;

// /run/netns/NAME of `ip netns`, /run/docker/netns/NAME: the convention is a directory named netns.
std::string_view name_of_mount(std::string_view mount_point) {
  const auto slash = mount_point.rfind('/');
  if (slash == std::string_view::npos || !mount_point.substr(0, slash).ends_with("/netns")) return {};
  const std::string_view name = mount_point.substr(slash + 1);
  return name == kHostName ? std::string_view{} : name;
}

bool is_uuid(std::string_view text) {
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  if (text.size() != kForm.size()) return false;
  for (std::size_t at = 0; at < kForm.size(); ++at) {
    if (kForm[at] == '-' ? text[at] != '-' : !is_hex(text.substr(at, 1))) return false;
  }
  return true;
}

}  // namespace

bool named_by_engine(std::string_view name) {
  constexpr std::size_t kDockerDigits = 12;
  if (name.size() == kDockerDigits && is_hex(name)) return true;
  for (const std::string_view engine : {"cni-", "netns-"}) {
    if (name.starts_with(engine)) name.remove_prefix(engine.size());
  }
  return is_uuid(name);
}

std::optional<std::uint32_t> parse_namespace_link(std::string_view link, std::string_view kind) {
  if (!link.starts_with(kind) || !link.ends_with(']')) return std::nullopt;
  link.remove_prefix(kind.size());
  if (!link.starts_with(":[")) return std::nullopt;
  return parse_number<std::uint32_t>(link.substr(2, link.size() - 3));
}

void NetnsCatalog::refresh(NetnsSearch search) {
  found_.clear();
  const auto pids = procfs_.pids();
  add_host();
  add_mounts("self", true, true);
  add_processes(pids);
  if (search.mount_namespaces) add_mount_namespaces(pids);
  if (search.open_files) {
    add_open_files(pids);
  } else {
    keep_open_files();
  }
}

const NetnsRef* NetnsCatalog::find(std::uint32_t inum) const {
  const auto entry = found_.find(inum);
  return entry == found_.end() ? nullptr : &entry->second;
}

std::optional<std::uint32_t> NetnsCatalog::namespace_of(std::string_view relative, std::string_view kind) const {
  const auto link = read_link(procfs_.path(relative));
  return link ? parse_namespace_link(*link, kind) : std::nullopt;
}

// The first way found is kept. refresh() tries lasting ways before short-lived ones.
NetnsRef& NetnsCatalog::add(std::uint32_t inum, std::string path) {
  NetnsRef& ref = found_[inum];
  ref.inum = inum;
  if (ref.path.empty()) ref.path = std::move(path);
  return ref;
}

void NetnsCatalog::add_host() {
  const auto own = namespace_of("self/ns/net", "net");
  if (own) add(*own, procfs_.path("self/ns/net").string());
  const auto init = namespace_of("1/ns/net", "net");
  if (init) add(*init, procfs_.path("1/ns/net").string()).pid = 1;
  // In a container with a PID namespace of its own, pid 1 is that of the container.
  if (namespace_of("self/ns/pid", "pid").value_or(kFirstPidNamespace) != kFirstPidNamespace) return;
  if (const auto host = init ? init : own) found_[*host].name = kHostName;
}

void NetnsCatalog::add_processes(const std::vector<std::uint32_t>& pids) {
  for (const std::uint32_t pid : pids) {
    const auto inum = namespace_of(std::to_string(pid) + "/ns/net", "net");
    if (!inum) continue;
    NetnsRef& ref = add(*inum, procfs_.path(pid, "ns/net").string());
    if (!ref.pid) ref.pid = pid;
  }
}

// Reads one process for each mount namespace. pid 1 comes first. If we are in a container that shares the host's
// processes, it knows the host's names.
void NetnsCatalog::add_mount_namespaces(const std::vector<std::uint32_t>& pids) {
  std::set<std::uint32_t> seen;
  if (const auto own = namespace_of("self/ns/mnt", "mnt")) seen.insert(*own);
  for (const std::uint32_t pid : pids) {
    if (seen.size() > kMaxMountNamespaces) return;
    const std::string process = std::to_string(pid);
    const auto inum = namespace_of(process + "/ns/mnt", "mnt");
    if (inum && seen.insert(*inum).second) add_mounts(process, false, pid == 1);
  }
}

// Mount points are relative to the root directory of the process that lists them.
void NetnsCatalog::add_mounts(std::string_view process, bool own, bool trusted_names) {
  const auto text = procfs_.read(std::string(process) + "/mountinfo");
  if (!text) return;
  for (const Mount& mount : parse_mountinfo(*text)) {
    const auto inum = mount.fs_type == "nsfs" ? parse_namespace_link(mount.root, "net") : std::nullopt;
    if (!inum) continue;
    const std::string root = own ? std::string() : procfs_.path(std::string(process) + "/root").string();
    NetnsRef& ref = add(*inum, root + mount.mount_point);
    if (trusted_names && ref.name.empty()) ref.name = name_of_mount(mount.mount_point);
  }
}

void NetnsCatalog::add_open_files(const std::vector<std::uint32_t>& pids) {
  by_descriptor_.clear();
  for (const std::uint32_t pid : pids) {
    std::error_code error;
    std::filesystem::directory_iterator entry(procfs_.path(pid, "fd"), error);
    while (!error && entry != std::filesystem::directory_iterator()) {
      const auto link = read_link(entry->path());
      const auto inum = link ? parse_namespace_link(*link, "net") : std::nullopt;
      if (inum && find(*inum) == nullptr) by_descriptor_[*inum] = add(*inum, entry->path().string());
      entry.increment(error);
    }
  }
}

// Finding all of them means reading every process's descriptors. Checking whether one still exists is quick.
void NetnsCatalog::keep_open_files() {
  for (const auto& [inum, ref] : by_descriptor_) {
    const auto link = read_link(ref.path);
    if (find(inum) == nullptr && link && parse_namespace_link(*link, "net") == inum) found_.emplace(inum, ref);
  }
}

base::Result<NetnsRef> NetnsCatalog::resolve(std::string_view spec) const {
  if (spec.find('/') != std::string_view::npos) return resolve_path(std::string(spec));
  const auto inum = spec == "self" ? namespace_of("self/ns/net", "net") : parse_number<std::uint32_t>(spec);
  if (const NetnsRef* ref = inum ? find(*inum) : nullptr) return *ref;
  const auto named = std::find_if(found_.begin(), found_.end(),
                                  [&](const auto& entry) { return !spec.empty() && entry.second.name == spec; });
  if (named != found_.end()) return named->second;
  return base::fail(base::ErrorCode::kNotFound, "no network namespace is called '" + std::string(spec) + "'");
}

// The user may name anything. It is opened without waiting (it may be a FIFO), and its type is checked.
base::Result<NetnsRef> NetnsCatalog::resolve_path(const std::string& path) const {
  const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd) return fail_path(errno, path);
  struct statfs fs {};
  struct stat status {};
  const bool is_nsfs = ::fstatfs(fd.get(), &fs) == 0 && fs.f_type == NSFS_MAGIC;
  if (!is_nsfs || ::ioctl(fd.get(), NS_GET_NSTYPE) != CLONE_NEWNET || ::fstat(fd.get(), &status) != 0) {
    return base::fail(base::ErrorCode::kUsage, path + " is not a network namespace",
                      "name a file such as /run/netns/NAME or /proc/PID/ns/net");
  }
  const auto inum = static_cast<std::uint32_t>(status.st_ino);
  if (const NetnsRef* ref = find(inum)) return *ref;
  return NetnsRef{.inum = inum, .name = {}, .pid = {}, .path = path};
}

}  // namespace twtrace::kernel
