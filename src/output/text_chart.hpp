// SPDX-License-Identifier: Apache-2.0
// A timeline in characters. Private to this folder.
#pragma once

#include <string>

#include "report/report.hpp"

namespace twtrace::output {

/// Shows the buckets in use of the fullest namespace and its limit, with refused connections and moments below, and a
/// legend. ASCII, at most kTextColumns wide; empty without samples.
std::string text_chart(const report::Report& report);

}  // namespace twtrace::output
