// SPDX-License-Identifier: Apache-2.0
// Pieces of Markdown. Private to this folder.
#pragma once

#include <string>

#include "output/report_parts.hpp"

namespace twtrace::output {

std::string markdown_grid(const Grid& grid);
/// "- **name** value" lines. A fact without a name continues the one above.
std::string markdown_facts(const std::vector<Property>& facts);
/// One line per verdict.
std::string markdown_verdict_lines(const std::vector<VerdictLine>& verdicts);
/// A command for the reader to copy, as inline code, whatever it contains.
std::string markdown_code(const std::string& text);

}  // namespace twtrace::output
