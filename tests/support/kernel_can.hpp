// SPDX-License-Identifier: Apache-2.0
// Checks features of this kernel beyond plain sockets. A function that returns false has marked the test as skipped,
// with the reason.
#pragma once

namespace twtrace::test {

/// io_uring works: the kernel has it, and neither kernel.io_uring_disabled nor a seccomp filter forbids it.
bool io_uring_possible();

/// The same, and its worker threads belong to the submitting process (since 5.12).
bool io_uring_workers_possible();

bool mptcp_possible();

}  // namespace twtrace::test
