// SPDX-License-Identifier: Apache-2.0
#include "output/markdown_parts.hpp"

namespace twtrace::output {

std::string markdown_grid(const Grid& grid) {
  std::string titles;
  std::string rule;
  for (const GridColumn& column : grid.columns) {
    titles += "| " + (column.title.empty() ? std::string(" ") : base::markdown_text(column.title)) + " ";
    rule += column.align == base::Align::kLeft ? "| :--- " : "| ---: ";
  }
  std::string out = titles + "|\n" + rule + "|\n";
  for (const auto& row : grid.rows) {
    for (const std::string& cell : row) out += "| " + base::markdown_text(cell) + " ";
    out += "|\n";
  }
  return out;
}

std::string markdown_facts(const std::vector<Property>& facts) {
  std::string out;
  for (const Property& fact : facts) {
    out += fact.name.empty() ? "  - " : "- **" + fact.name + "** ";
    out += base::markdown_text(fact.value) + "\n";
  }
  return out;
}

std::string markdown_verdict_lines(const std::vector<VerdictLine>& verdicts) {
  std::string out;
  for (const VerdictLine& line : verdicts) {
    out += (line.fails ? "- **FAIL** " : "- ok ") + base::markdown_text(line.budget + ": " + line.words) + "\n";
  }
  return out;
}

std::string markdown_code(const std::string& text) {
  // <code> allows references, unlike backticks.
  return "<code>" + base::markdown_text(text) + "</code>";
}

}  // namespace twtrace::output
