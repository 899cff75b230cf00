// SPDX-License-Identifier: Apache-2.0
// Checks features of this kernel beyond plain sockets. A function that returns false has marked the test as skipped,
// with the reason.
#pragma once

namespace twtrace::test {

/// io_uring, not compiled out and not forbidden by kernel.io_uring_disabled or a seccomp filter.
bool io_uring_possible();

/// As above, with worker threads that belong to the process that submits (since 5.12).
bool io_uring_workers_possible();

bool mptcp_possible();

}  // namespace twtrace::test
