// SPDX-License-Identifier: Apache-2.0
#include "export/otlp_reply.hpp"

#include <array>

#include "base/escape.hpp"

namespace twtrace::exporter {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::size_t kMostColumns = 200;
constexpr std::string_view kPartial = R"("partialSuccess":)";
// Fields that have their defaults, without blanks, the longer ones first.
constexpr std::array<std::string_view, 6> kDefaults = {
    R"("rejectedDataPoints":"0")", R"("rejectedDataPoints":0)", R"("errorMessage":"")", "null", "{", ","};

/// The words, with `between` them.
std::string words_of(std::string_view text, std::string_view between) {
  std::string words;
  while (true) {
    const std::size_t begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return words;
    text.remove_prefix(begin);
    const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
    text.remove_prefix(word.size());
    if (!words.empty()) words += between;
    words += word;
  }
}

}  // namespace

bool otlp_rejects(std::string_view body) {
  const std::string text = words_of(body, "");
  std::size_t at = text.find(kPartial);
  if (at == std::string::npos) return false;
  std::string_view rest = std::string_view(text).substr(at + kPartial.size());
  for (bool found = true; found;) {
    found = false;
    for (const std::string_view one : kDefaults) {
      if (!rest.starts_with(one)) continue;
      rest.remove_prefix(one.size());
      found = true;
      break;
    }
  }
  return !rest.empty() && rest.front() != '}';
}

std::string otlp_quote(std::string_view body) {
  return base::fit(base::sanitize_terminal(words_of(body, " ")), kMostColumns);
}

}  // namespace twtrace::exporter
