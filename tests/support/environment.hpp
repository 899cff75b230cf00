// SPDX-License-Identifier: Apache-2.0
// The environment of a test run.
#pragma once

#include <string>

namespace twtrace::test {

/// An environment variable, or `fallback` when it is not set or empty.
std::string environment(const char* name, const std::string& fallback);

/// The twtrace under test: $TWTRACE_BINARY, else the one of this build.
std::string twtrace_binary();

/// The workload program: $TWTRACE_WORKLOAD, else the one of this build.
std::string workload_binary();

/// True if the counts must be exact under packet steering, too ($TWTRACE_EXACT=1). The platform of a development
/// machine may skip program runs (docs/accuracy.md). There the tests only assert that twtrace reports them as missed.
bool exact_under_steering();

/// True if this process may load BPF programs and make namespaces. Without root it fails the test if CI=true. Otherwise
/// it marks the test as skipped for ctest and returns false.
bool privileged();

/// Marks the running test as skipped for ctest, with the reason.
void mark_skipped(const std::string& reason);

}  // namespace twtrace::test
