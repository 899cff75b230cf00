// SPDX-License-Identifier: Apache-2.0
// Whose the resets are that a process felt.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <map>

#include "base/result.hpp"
#include "loader/socket_files.hpp"

struct twtrace_bpf;

namespace twtrace::loader {

/// Settles the resets that wait on the kernel side: those of sockets that processes have not closed yet. The skeleton
/// and `files` have to outlive it. Not thread-safe.
class FeltResets {
 public:
  /// `files`: attached; nullptr where the kernel cannot tell which process has a socket.
  FeltResets(twtrace_bpf& skeleton, const SocketFiles* files) : skeleton_(&skeleton), files_(files) {}

  /// How many wait.
  std::uint64_t waiting() const;

  /// Has those that wait now counted: each for the first process that has the socket, else for the service and uid that
  /// the socket remembers. Later ones may go on waiting. Takes as long as SocketFiles::look_through(), and 5 ms more if
  /// a socket is in no file. After an error all of them are counted as well.
  base::Result<void> settle();

 private:
  /// By the address of the socket, its identity.
  using Waiting = std::map<std::uint64_t, std::uint64_t>;

  base::Result<Waiting> read() const;
  void give_to_socket(std::uint64_t socket, std::uint64_t identity);

  twtrace_bpf* skeleton_;
  const SocketFiles* files_;
};

}  // namespace twtrace::loader
