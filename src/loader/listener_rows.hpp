// SPDX-License-Identifier: Apache-2.0
// Which rows listening sockets belong to.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "loader/libbpf_ptr.hpp"

struct twtrace_bpf;

namespace twtrace::loader {

/// Asks the kernel side for the rows of listening sockets, and takes from it what sockets had dropped when they closed.
/// Owns the iterator through the files of all processes. The skeleton has to outlive it. Not thread-safe.
class ListenerRows {
 public:
  explicit ListenerRows(twtrace_bpf& skeleton) : skeleton_(&skeleton) {}

  /// From now on find() knows the processes. kUnsupported if the kernel cannot iterate over their files.
  base::Result<void> attach();

  /// The row slots of these sockets (tw_listener_reading.socket): of the first process that has the socket, else of
  /// whoever created it, of whom only the service and the user are known. TW_ROW_NONE if it closed, or if there was no
  /// room for a row. Looks through the files of every process that this process's pid namespace shows: some 100 ns for
  /// each.
  base::Result<std::map<std::uint64_t, std::uint32_t>> find(std::span<const std::uint64_t> sockets);

  /// The sockets that closed since the last call, and had dropped something.
  std::vector<tw_closed_listener> take_closed();

 private:
  base::Result<void> look_through_files();
  bool has_row(std::uint64_t socket) const;
  void claim(std::uint64_t socket);
  std::uint32_t take_row(std::uint64_t socket);

  twtrace_bpf* skeleton_;
  LinkPtr link_;
};

}  // namespace twtrace::loader
