// SPDX-License-Identifier: Apache-2.0
// What the surroundings of a test run say.
#pragma once

#include <string>

namespace twtrace::test {

/// An environment variable, or `fallback` when it is not set or empty.
std::string environment(const char* name, const std::string& fallback);

/// The twtrace under test: $TWTRACE_BINARY, else the one of this build.
std::string twtrace_binary();

/// The workload program: $TWTRACE_WORKLOAD, else the one of this build.
std::string workload_binary();

/// True when the counts must be exact under packet steering too ($TWTRACE_EXACT=1). The platform of a development
/// machine may skip program runs; there only honesty about it is asserted.
bool exact_under_steering();

/// True when this process may load BPF programs and make namespaces. Without root: a failure when CI=true, else the
/// test is marked as skipped for ctest and false is returned.
bool privileged();

/// Marks the running test as skipped for ctest, with the reason.
void mark_skipped(const std::string& reason);

}  // namespace twtrace::test
