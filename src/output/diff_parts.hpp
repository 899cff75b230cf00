// SPDX-License-Identifier: Apache-2.0
// The sections of a difference as plain text, before a format escapes and arranges them. Private to this folder.
#pragma once

#include <string>

#include "output/report_parts.hpp"
#include "report/diff.hpp"

namespace twtrace::output {

/// The number of rows in a difference for people.
inline constexpr std::size_t kDiffRowsShown = 20;

/// "The captures differ: ...", or a sentence that they do not.
std::string diff_headline(const report::Diff& diff);
/// The two captures side by side.
Grid diff_captures_grid(const report::Diff& diff);
/// At most kDiffRowsShown rows, with those of the largest changes of overflow and harm. Then how many more there are.
Grid diff_grid(const report::Diff& diff);

}  // namespace twtrace::output
