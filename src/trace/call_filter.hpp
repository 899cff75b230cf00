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

/// Installs a permanent seccomp filter for the calling process. It allows what a trace calls after its start, and
/// what its use of the network needs. Every other call fails with ENOSYS, which libraries can handle. The process can
/// then execute no program and make no BPF program or map. Only a process that connects can open a socket, or start a
/// thread to look up a name. Returns 0 or errno. Needs no_new_privs.
int filter_system_calls(Network network);

}  // namespace twtrace::trace
