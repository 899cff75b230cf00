// SPDX-License-Identifier: Apache-2.0
#include "phrases/log_line.hpp"

#include <fmt/format.h>

#include "base/escape.hpp"

namespace twtrace::phrases {

std::string log_words(const model::Log& log) {
  return log.kind == model::Log::Kind::kJournal ? "journal of " + log.name : log.name;
}

std::string line_words(const model::Log& log, const model::LogLine& line) {
  const std::string words =
      line.text ? *line.text
                : fmt::format("{} more {}", fmt::group_digits(line.lines), line.lines == 1 ? "line" : "lines");
  return base::sanitize_terminal(log_words(log)) + ": " + base::sanitize_terminal(words);
}

}  // namespace twtrace::phrases
