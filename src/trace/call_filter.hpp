// SPDX-License-Identifier: Apache-2.0
// The system calls that a command which runs long still makes.
#pragma once

namespace twtrace::trace {

/// Installs a seccomp filter for the calling process, for good: what a trace does after its start is allowed, every
/// other call fails with ENOSYS, which libraries know how to do without. No program can be executed, no process or
/// thread started, no BPF program or map made, no socket opened. 0 or errno. Needs no_new_privs.
int filter_system_calls();

}  // namespace twtrace::trace
