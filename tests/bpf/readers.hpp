// SPDX-License-Identifier: Apache-2.0
// What the tests of the reader programs share. They are Catch2 assertions: call them from a test case.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "loader/readers.hpp"

namespace twtrace::test {

loader::Features kernel_features();

/// With runs that end after so long.
loader::Readers open_readers(std::uint64_t run_ns = loader::ReaderOptions().run_ns,
                             std::optional<loader::TracerState> tracer = {});

/// The identity of a namespace that is in the kernel's list.
std::uint64_t id_of(loader::Readers& readers, int netns_fd);

/// Waits until the kernel has taken a namespace off its list. Begins passes of its own over the namespaces.
void wait_gone(loader::Readers& readers, std::uint64_t id);

/// Runs `action` in a child that is nobody, without a capability or a way back to one; returns what it returns.
int as_nobody(const std::function<int()>& action);

/// Whether programs that are loaded may be run without a privilege.
bool runs_unprivileged();

}  // namespace twtrace::test
