// SPDX-License-Identifier: Apache-2.0
// Which rows listening sockets belong to.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "loader/socket_files.hpp"

struct twtrace_bpf;

namespace twtrace::loader {

/// Asks the kernel side for the rows of listening sockets, and takes from it what sockets had dropped when they closed.
/// The skeleton and `files` have to outlive it. Not thread-safe.
class ListenerRows {
 public:
  /// `files`: attached; nullptr where the kernel cannot tell which process has a socket.
  ListenerRows(twtrace_bpf& skeleton, const SocketFiles* files) : skeleton_(&skeleton), files_(files) {}

  /// The row slots of these sockets (tw_listener_reading.socket): of the first process that has the socket, else of
  /// whoever created it, of whom only the service and the user are known. TW_ROW_NONE if it closed, or if there was no
  /// room for a row. Takes as long as SocketFiles::look_through().
  base::Result<std::map<std::uint64_t, std::uint32_t>> find(std::span<const std::uint64_t> sockets);

  /// The sockets that closed since the last call, and had dropped something.
  std::vector<tw_closed_listener> take_closed();

 private:
  bool has_row(std::uint64_t socket) const;
  void claim(std::uint64_t socket);
  std::uint32_t take_row(std::uint64_t socket);

  twtrace_bpf* skeleton_;
  const SocketFiles* files_;
};

}  // namespace twtrace::loader
