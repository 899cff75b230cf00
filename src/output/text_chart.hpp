// SPDX-License-Identifier: Apache-2.0
// A timeline in characters. Private to this folder.
#pragma once

#include <string>

#include "report/report.hpp"

namespace twtrace::output {

/// Buckets in use of the fullest namespace against its limit, refused connections and moments below, with a legend.
/// ASCII, at most kTextColumns wide; empty without samples.
std::string text_chart(const report::Report& report);

}  // namespace twtrace::output
