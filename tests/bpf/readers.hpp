// SPDX-License-Identifier: Apache-2.0
// Helpers for the tests of the reader programs. They use Catch2 assertions, so call them from a test case.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "loader/readers.hpp"

namespace twtrace::test {

loader::Features kernel_features();

/// `run_ns`: how long a run may take.
loader::Readers open_readers(std::uint64_t run_ns = loader::ReaderOptions().run_ns,
                             std::optional<loader::TracerState> tracer = {});

/// The id of a namespace in the kernel's list.
std::uint64_t id_of(loader::Readers& readers, int netns_fd);

/// Waits until the kernel has removed the namespace from its list. Reads the namespaces in passes of its own.
void wait_gone(loader::Readers& readers, std::uint64_t id);

/// Runs `action` in a child as the user nobody, who has no capability and can get none. Returns its result.
int as_nobody(const std::function<int()>& action);

/// Whether this kernel runs loaded programs for a process without privileges.
bool runs_unprivileged();

}  // namespace twtrace::test
