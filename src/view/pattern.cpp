// SPDX-License-Identifier: Apache-2.0
#include "view/pattern.hpp"

#include <fnmatch.h>

#include <algorithm>

namespace twtrace::view {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_letter(char of_name, char of_pattern) { return lower(of_name) == of_pattern; }

}  // namespace

Pattern::Pattern(std::string_view text)
    : Pattern(text, text.find_first_of("*?[") == std::string_view::npos ? How::kContains : How::kGlob) {}

Pattern::Pattern(std::string_view text, How how) : text_(text), how_(how) {
  std::transform(text_.begin(), text_.end(), text_.begin(), lower);
}

Pattern Pattern::whole(std::string_view text) { return {text, How::kEqual}; }

bool Pattern::matches(std::string_view name) const {
  if (name.empty()) return false;
  switch (how_) {
    case How::kContains:
      return std::search(name.begin(), name.end(), text_.begin(), text_.end(), same_letter) != name.end();
    case How::kGlob:
      return ::fnmatch(text_.c_str(), std::string(name).c_str(), FNM_CASEFOLD) == 0;
    case How::kEqual:
      return std::equal(name.begin(), name.end(), text_.begin(), text_.end(), same_letter);
  }
  return false;
}

}  // namespace twtrace::view
