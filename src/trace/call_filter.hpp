// SPDX-License-Identifier: Apache-2.0
// Restricts a long-running command to the system calls that it still makes.
#pragma once

namespace twtrace::trace {

/// What a process still does with sockets.
enum class Network {
  kNone,
  kServes,    ///< answers requests on sockets that are open already
  kConnects,  ///< also opens connections of its own
};

/// Installs a permanent seccomp filter for the calling process. It allows the calls that a trace makes after its start,
/// and those of its use of the network. Every other call fails with ENOSYS, which libraries can handle. The process can
/// then execute no program and make no BPF program or map. Only one that connects can open a socket, and start a thread
/// to look up a name. Returns 0 or errno. Needs no_new_privs.
int filter_system_calls(Network network);

}  // namespace twtrace::trace
