// SPDX-License-Identifier: Apache-2.0
// The lines above a table: the time, each namespace with its limit and the kernel's counters, and losses.
#pragma once

#include <cstddef>
#include <string>

#include "model/snapshot.hpp"
#include "output/style.hpp"

namespace twtrace::output {

/// Lines, each with its newline, in ASCII apart from names: - the time, host, backend and interval; - the fullest
/// namespaces, then one line that sums the others (nothing missed stays unsaid); - `lost: ...`, only if detail was
/// lost. A line longer than `width` columns (0 = unlimited) continues in the next one, indented. Pure.
/// `no_netns`: TableOptions::no_netns.
std::string summary(const model::Snapshot& snapshot, std::size_t width, Color color, const std::string& no_netns = {});

/// The worst trouble and how many more there are, or that there is none: part of one line, for a sink that escapes the
/// names in it. Pure.
std::string trouble_summary(const model::Snapshot& snapshot);

}  // namespace twtrace::output
