// SPDX-License-Identifier: Apache-2.0
// Which lines of a log count.
#pragma once

#include <regex.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace twtrace::logs {

/// What applications say when a connection fails them.
inline constexpr const char* kDefaultPattern =
    "connection reset|closed by server|refused|timed out|cannot assign|broken pipe";

/// An extended regular expression as in grep -Ei: it ignores case, and may match anywhere in a line. The time of a
/// match grows with the length of the line, whatever the line holds. Move-only. Not thread-safe.
class Pattern {
 public:
  /// kUsage if the text is no such expression, or one that could take too much time or memory: one with
  /// back-references, or with repetitions of repetitions that multiply to over 1,000. Bytes are compared as bytes: only
  /// ASCII letters have a case.
  static base::Result<Pattern> compile(const std::string& text);

  /// `line` may hold any bytes except a newline.
  bool matches(std::string_view line) const;

 private:
  struct Free {
    void operator()(regex_t* compiled) const;
  };
  explicit Pattern(std::unique_ptr<regex_t, Free> compiled) : compiled_(std::move(compiled)) {}

  std::unique_ptr<regex_t, Free> compiled_;
};

}  // namespace twtrace::logs
