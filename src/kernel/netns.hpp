// SPDX-License-Identifier: Apache-2.0
// The network namespaces of this machine, and how to reach each of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "kernel/procfs.hpp"

namespace twtrace::kernel {

/// One network namespace and a way into it. Inode numbers are reused: opening `path` and comparing is what tells.
struct NetnsRef {
  std::uint32_t inum = 0;            ///< inode number of the namespace: /proc/PID/ns/net
  std::string name;                  ///< "host", an `ip netns` name, or empty; any bytes
  std::optional<std::uint32_t> pid;  ///< a process that was in it at the last refresh
  std::string path;                  ///< what to open to enter it

  bool operator==(const NetnsRef&) const = default;
};

/// "net:[4026531840]" -> 4026531840, for `kind` "net".
std::optional<std::uint32_t> parse_namespace_link(std::string_view link, std::string_view kind);

/// How far refresh() looks. Each step costs more than the one before.
struct NetnsSearch {
  bool mount_namespaces = true;  ///< nsfs mounts of other mount namespaces (containers that hold namespaces by name)
  bool open_files = false;       ///< namespaces that only an open descriptor holds: reads every /proc/PID/fd
};

/// All network namespaces that can be reached. It keeps no descriptor open, because one would keep a container's
/// namespace alive. A namespace held only by a socket or by a single thread of a process cannot be found. Not
/// thread-safe.
class NetnsCatalog {
 public:
  explicit NetnsCatalog(Procfs procfs = Procfs()) : procfs_(std::move(procfs)) {}

  /// Looks at everything again: namespaces that are gone are dropped. One that only a descriptor led to stays while
  /// that does, also where descriptors are not looked for. The namespace of pid 1 (where that cannot be read, our own)
  /// is "host". Other names come from mounts that this process or pid 1 sees; those of other mount namespaces are
  /// whatever a container likes, and are ignored.
  void refresh(NetnsSearch search = {});
  /// The namespace as it was at the last refresh(); nullptr when it was not there. Valid until the next refresh().
  const NetnsRef* find(std::uint32_t inum) const;
  /// All of them as they were at the last refresh(), ascending by inode number. A copy: whoever goes through them and
  /// finds one gone may well refresh.
  std::map<std::uint32_t, NetnsRef> all() const { return found_; }

  /// The namespace a user means by `self`, an inode number, a name or a path (anything with a slash). Refresh first.
  /// kNotFound when nothing is called so, kUsage when the path is no network namespace.
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
  std::map<std::uint32_t, NetnsRef> by_descriptor_;  ///< those that nothing else led to at the last look at descriptors
};

}  // namespace twtrace::kernel
