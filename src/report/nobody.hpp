// SPDX-License-Identifier: Apache-2.0
// Names that no row has: nothing happened to their owner, or they are misspelt. Private to this folder.
#pragma once

#include <string>

#include "report/report.hpp"

namespace twtrace::report {

/// True if the capture saw a process of such a service and name, whether or not it has a row.
bool saw_process(const model::CaptureInfo& info, const view::Selector& owners);

/// "no row matches, and ...": why it is not known whether anything of these names was there. `names` follows "matches".
std::string nobody_words(const model::CaptureInfo& info, const std::string& names = {});

}  // namespace twtrace::report
