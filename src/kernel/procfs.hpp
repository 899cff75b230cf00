// SPDX-License-Identifier: Apache-2.0
// Processes, as /proc shows them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace twtrace::kernel {

/// The facts about a process in /proc/PID/stat.
struct ProcessStat {
  std::string comm;               ///< leader's name: any bytes, also ')' and newline
  char state = '?';               ///< of the thread-group leader: R S D Z T t X I
  std::uint32_t parent = 0;       ///< thread-group id; 0: none, or not in this pid namespace
  std::uint64_t start_ticks = 0;  ///< since boot, in units of 1/sysconf(_SC_CLK_TCK) s
};

/// Parses /proc/PID/stat (proc(5)). The name is what lies between the first '(' and the last ')', because it may itself
/// contain both. Empty on malformed text.
std::optional<ProcessStat> parse_stat(std::string_view text);

/// The proc file system, or a directory that looks like it. Holds only the path: cheap to copy, thread-safe.
/// A process can end between any two calls. Then every look-up of it returns an empty value.
class Procfs {
 public:
  explicit Procfs(std::filesystem::path root = "/proc") : root_(std::move(root)) {}

  const std::filesystem::path& root() const { return root_; }
  /// The path of an entry: "1/ns/net" -> "/proc/1/ns/net".
  std::filesystem::path path(std::string_view relative) const { return root_ / relative; }
  /// The path of an entry of a process: (1, "ns/net") -> "/proc/1/ns/net".
  std::filesystem::path path(std::uint32_t pid, std::string_view relative) const;

  /// A whole file, for example "net/netstat". kNotFound if it or its process does not exist.
  base::Result<std::string> read(std::string_view relative) const;

  /// Thread-group ids of all processes, ascending. Empty if the directory cannot be read.
  std::vector<std::uint32_t> pids() const;
  std::optional<ProcessStat> stat(std::uint32_t pid) const;
  /// The arguments joined by blanks; empty for kernel threads and zombies.
  std::optional<std::string> cmdline(std::uint32_t pid) const;
  /// The real uid, which is what bpf_get_current_uid_gid returns.
  std::optional<std::uint32_t> uid(std::uint32_t pid) const;

 private:
  std::filesystem::path root_;
};

}  // namespace twtrace::kernel
