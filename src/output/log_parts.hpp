// SPDX-License-Identifier: Apache-2.0
// The lines of application logs in a report for people. Private to this folder.
#pragma once

#include <vector>

#include "output/report_parts.hpp"

namespace twtrace::output {

/// The title of the section.
inline constexpr const char* kLogsTitle = "Application errors";

/// How many lines share an interval with which resets, the first of each kind, and what is known of each log. Empty if
/// the capture followed no log.
std::vector<Property> log_properties(const report::Report& report);

}  // namespace twtrace::output
