// SPDX-License-Identifier: Apache-2.0
// Restricts a long-running command to the system calls that it still makes.
#pragma once

namespace twtrace::trace {

/// Installs a permanent seccomp filter for the calling process. It allows the calls that a trace makes after its start,
/// and with `serves` those of a server on sockets that are open already. Every other call fails with ENOSYS, which
/// libraries can handle. The process can then execute no program, start no process or thread, make no BPF program or
/// map, and open no socket. Returns 0 or errno. Needs no_new_privs.
int filter_system_calls(bool serves);

}  // namespace twtrace::trace
