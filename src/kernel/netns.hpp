// SPDX-License-Identifier: Apache-2.0
// The network namespaces of this machine, and how to reach each of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "kernel/procfs.hpp"

namespace twtrace::kernel {

/// What the namespace of the host is called.
inline constexpr std::string_view kHostName = "host";

/// One network namespace and a way into it. The kernel reuses inode numbers, so open `path` and compare.
struct NetnsRef {
  std::uint32_t inum = 0;            ///< inode number of the namespace: /proc/PID/ns/net
  std::string name;                  ///< "host", an `ip netns` name, or empty; any bytes
  std::optional<std::uint32_t> pid;  ///< a process that was in it at the last refresh
  std::string path;                  ///< the file to open to enter it

  bool operator==(const NetnsRef&) const = default;
};

/// True for the name of a mount that an engine has made up: 12 hexadecimal digits (docker), a UUID (cri-o),
/// "netns-UUID" (podman) or "cni-UUID" (containerd for Kubernetes).
bool named_by_engine(std::string_view name);

/// "net:[4026531840]" -> 4026531840, for `kind` "net".
std::optional<std::uint32_t> parse_namespace_link(std::string_view link, std::string_view kind);

/// How far refresh() looks. Each step costs more than the previous one.
struct NetnsSearch {
  bool mount_namespaces = true;  ///< nsfs mounts of other mount namespaces (containers that hold namespaces by name)
  bool open_files = false;       ///< namespaces that only an open descriptor holds; reads every /proc/PID/fd
};

/// All reachable network namespaces. It keeps no descriptor open, because that would keep a container's namespace
/// alive. It cannot find a namespace that only a socket or a single thread of a process holds. Not thread-safe.
class NetnsCatalog {
 public:
  explicit NetnsCatalog(Procfs procfs = Procfs()) : procfs_(std::move(procfs)) {}

  /// Looks at everything again, and drops namespaces that are gone. A namespace that only a descriptor holds stays as
  /// long as that descriptor, even if this call does not search descriptors. The namespace of pid 1 is "host" (our own
  /// if that one cannot be read), but none is in a container that has its own pid 1. Other names come from mounts that
  /// this process or pid 1 sees. Names from other mount namespaces are ignored, because containers choose them.
  void refresh(NetnsSearch search = {});
  /// Takes what a catalog of another process has found, in place of a refresh().
  void take(std::map<std::uint32_t, NetnsRef> found) { found_ = std::move(found); }
  bool is_empty() const { return found_.empty(); }
  /// The namespace at the last refresh(); nullptr if it did not exist then. Valid until the next refresh().
  const NetnsRef* find(std::uint32_t inum) const;
  /// All namespaces at the last refresh(), ascending by inode number. Returns a copy, so that callers may refresh while
  /// they go through it.
  std::map<std::uint32_t, NetnsRef> all() const { return found_; }

  /// The namespace that a user means by `self`, an inode number, a name or a path (anything with a slash). Refresh
  /// first. kNotFound if there is none of that name, kUsage if the path is not a network namespace.
  base::Result<NetnsRef> resolve(std::string_view spec) const;

 private:
  void add_host();
  void add_processes(const std::vector<std::uint32_t>& pids);
  void add_mount_namespaces(const std::vector<std::uint32_t>& pids);
  void add_mounts(std::string_view process, bool own, bool trusted_names);
  void add_open_files(const std::vector<std::uint32_t>& pids);
  void keep_open_files();
  NetnsRef& add(std::uint32_t inum, std::string path);
  std::optional<std::uint32_t> namespace_of(std::string_view relative, std::string_view kind) const;
  base::Result<NetnsRef> resolve_path(const std::string& path) const;

  Procfs procfs_;
  std::map<std::uint32_t, NetnsRef> found_;
  std::map<std::uint32_t, NetnsRef> by_descriptor_;  ///< held only by a descriptor at the last search of descriptors
};

}  // namespace twtrace::kernel
