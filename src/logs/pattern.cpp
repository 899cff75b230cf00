// SPDX-License-Identifier: Apache-2.0
#include "logs/pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <clocale>
#include <cstddef>
#include <cstdint>

namespace twtrace::logs {
namespace {

constexpr std::size_t kLongestPattern = 1024;
/// glibc copies what is repeated, so a{100} of b{100} takes 10,000 times the memory.
constexpr std::uint64_t kMostCopies = 1000;
constexpr const char* kHint = "give an extended regular expression, as of grep -Ei";

tl::unexpected<base::Error> unusable(const std::string& text, const std::string& why) {
  return base::fail(base::ErrorCode::kUsage, fmt::format("the pattern \"{}\" cannot be used: {}", text, why), kHint);
}

/// The C locale for as long as it lives: in others, glibc compares characters, many times slower than bytes.
class BytesOnly {
 public:
  BytesOnly() : bytes_(::newlocale(LC_ALL_MASK, "C", nullptr)), before_(::uselocale(bytes_)) {}
  BytesOnly(const BytesOnly&) = delete;
  BytesOnly& operator=(const BytesOnly&) = delete;
  ~BytesOnly() {
    ::uselocale(before_);
    ::freelocale(bytes_);
  }

 private:
  locale_t bytes_;
  locale_t before_;
};

/// The place behind a bracket expression that begins at `begin`: "[^]a]", "[[:digit:]]".
std::size_t skip_bracket(std::string_view text, std::size_t begin) {
  std::size_t i = begin + 1;
  if (i < text.size() && text[i] == '^') ++i;
  if (i < text.size() && text[i] == ']') ++i;
  while (i < text.size() && text[i] != ']') {
    const char kind = text[i] == '[' && i + 1 < text.size() ? text[i + 1] : '\0';
    if (kind == ':' || kind == '.' || kind == '=') {
      const std::size_t end = text.find(std::string{kind, ']'}, i + 2);
      if (end == std::string_view::npos) return text.size();
      i = end + 2;
    } else {
      ++i;
    }
  }
  return i + 1;
}

/// The largest number between braces: 20 for "{3,20}"; 1 if there is none.
std::uint64_t copies(std::string_view braces) {
  std::uint64_t most = 1;
  std::uint64_t number = 0;
  for (const char c : braces) {
    number = c >= '0' && c <= '9' ? number * 10 + static_cast<std::uint64_t>(c - '0') : 0;
    if (number > kMostCopies) return number;
    most = std::max(most, number);
  }
  return most;
}

/// Why the expression is refused although glibc would take it; empty if it is not.
std::string why_refused(std::string_view text) {
  constexpr std::string_view kKnown = "wWsSbB";  // letters that glibc knows behind a backslash
  std::uint64_t all_copies = 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '[') {
      i = skip_bracket(text, i) - 1;
    } else if (text[i] == '\\' && i + 1 < text.size()) {
      const char next = text[++i];
      if (next >= '0' && next <= '9') return "back-references are not supported";
      const bool letter = (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z');
      if (letter && kKnown.find(next) == std::string_view::npos) {
        return fmt::format("\\{} has no meaning in it{}", next, next == 'd' ? "; write [0-9]" : "");
      }
    } else if (text[i] == '{') {
      all_copies *= copies(text.substr(i, text.find('}', i) - i));
      if (all_copies > kMostCopies) return fmt::format("its repetitions multiply to over {}", kMostCopies);
    }
  }
  return {};
}

/// 0 or why not, as in regcomp(3).
int compile_into(regex_t& compiled, const std::string& text) {
  return ::regcomp(&compiled, text.c_str(), REG_EXTENDED | REG_ICASE | REG_NOSUB);
}

}  // namespace

void Pattern::Free::operator()(regex_t* compiled) const {
  ::regfree(compiled);
  delete compiled;
}

base::Result<Pattern> Pattern::compile(const std::string& text) {
  if (text.size() > kLongestPattern) return unusable(text.substr(0, 32) + "...", "it has over 1024 bytes");
  if (text.find_first_of(std::string("\n\0", 2)) != std::string::npos) return unusable(text, "it has several lines");
  if (const std::string why = why_refused(text); !why.empty()) return unusable(text, why);
  const BytesOnly bytes;
  regex_t alone{};
  if (const int error = compile_into(alone, text); error != 0) {
    std::array<char, 128> why{};
    ::regerror(error, &alone, why.data(), why.size());
    return unusable(text, why.data());
  }
  ::regfree(&alone);
  // Anchored, glibc goes through a line once. Without, it tries every place of the line anew. A set, because `.` does
  // not match NUL.
  auto compiled = std::make_unique<regex_t>();
  if (compile_into(*compiled, "^[^\n]*(" + text + ")") != 0) return unusable(text, "it takes too much memory");
  return Pattern(std::unique_ptr<regex_t, Free>(compiled.release()));
}

bool Pattern::matches(std::string_view line) const {
  regmatch_t part{};
  part.rm_so = 0;
  part.rm_eo = static_cast<regoff_t>(line.size());
  return ::regexec(compiled_.get(), line.data(), 0, &part, REG_STARTEND) == 0;
}

}  // namespace twtrace::logs
