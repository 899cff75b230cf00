// SPDX-License-Identifier: Apache-2.0
// Pieces of Markdown. Private to this folder.
#pragma once

#include <string>

#include "output/report_parts.hpp"

namespace twtrace::output {

std::string markdown_grid(const Grid& grid);
/// "- **name** value" lines; a fact without a name goes on with the one above.
std::string markdown_facts(const std::vector<Property>& facts);
/// A line per verdict.
std::string markdown_verdict_lines(const report::Report& report);
/// A command that the reader may copy: inline code, whatever is in it.
std::string markdown_code(const std::string& text);

}  // namespace twtrace::output
