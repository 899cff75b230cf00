// SPDX-License-Identifier: Apache-2.0
// A pattern is a nondeterministic automaton with one state per character. All states are followed at once, as bits of
// words (Baeza-Yates and Gonnet, "A new approach to text searching", 1992). So no name makes it go back.
#include "view/pattern.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cctype>
#include <utility>

namespace twtrace::view {
namespace {

constexpr std::size_t kBytes = 256;
constexpr std::size_t kWordBits = 64;
/// The state behind the last character is one more than there are characters.
constexpr std::size_t kMostWords = Pattern::kLongest / kWordBits + 1;

using Class = std::bitset<kBytes>;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::uint8_t byte_of(char c) { return static_cast<std::uint8_t>(c); }

/// A byte of UTF-8 that does not begin a character.
bool continues(std::uint8_t byte) { return (byte & 0xc0U) == 0x80U; }

/// The classes of POSIX. Letters of both cases are in all classes of letters.
bool is_in_class(std::string_view name, std::uint8_t byte) {
  using Test = int (*)(int);
  static constexpr std::array<std::pair<std::string_view, Test>, 12> kClasses{{{"alnum", std::isalnum},
                                                                               {"alpha", std::isalpha},
                                                                               {"blank", std::isblank},
                                                                               {"cntrl", std::iscntrl},
                                                                               {"digit", std::isdigit},
                                                                               {"graph", std::isgraph},
                                                                               {"lower", std::isalpha},
                                                                               {"print", std::isprint},
                                                                               {"punct", std::ispunct},
                                                                               {"space", std::isspace},
                                                                               {"upper", std::isalpha},
                                                                               {"xdigit", std::isxdigit}}};
  constexpr std::uint8_t kAsciiEnd = 0x80;
  const auto* const found =
      std::find_if(kClasses.begin(), kClasses.end(), [&](const auto& known) { return known.first == name; });
  return found != kClasses.end() && byte < kAsciiEnd && found->second(byte) != 0;
}

/// Where the `[...]` that begins at `begin` ends: at its `]`, or npos. A `]` right at the beginning is a member.
std::size_t class_end(std::string_view text, std::size_t begin) {
  std::size_t at = begin + 1;
  if (text.substr(at, 1) == "!" || text.substr(at, 1) == "^") ++at;
  if (text.substr(at, 1) == "]") ++at;
  for (; at < text.size() && text[at] != ']'; ++at) {
    if (text[at] == '\\') ++at;
    if (!text.substr(at).starts_with("[:")) continue;
    const std::size_t end = text.find(":]", at + 2);
    if (end != std::string_view::npos) at = end + 1;
  }
  return at < text.size() ? at : std::string_view::npos;
}

/// Of the text between the brackets, without `!` or `^`.
Class members(std::string_view text) {
  Class set;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::size_t named_end = text.substr(at).starts_with("[:") ? text.find(":]", at + 2) : std::string_view::npos;
    if (named_end != std::string_view::npos) {
      const std::string_view name = text.substr(at + 2, named_end - at - 2);
      for (std::size_t byte = 0; byte < kBytes; ++byte) {
        if (is_in_class(name, static_cast<std::uint8_t>(byte))) set.set(byte);
      }
      at = named_end + 1;
      continue;
    }
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    const std::uint8_t first = byte_of(text[at]);
    std::uint8_t last = first;
    if (at + 2 < text.size() && text[at + 1] == '-') {
      at += text[at + 2] == '\\' && at + 3 < text.size() ? 3 : 2;
      last = byte_of(text[at]);
    }
    for (std::size_t byte = first; byte <= last; ++byte) set.set(byte);
  }
  return set;
}

}  // namespace

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char one, char other) { return lower(one) == lower(other); });
}

Pattern::Pattern(std::string_view text) {
  begin(text);
  if (text_.find_first_of("*?[") != std::string::npos) {
    add_glob();
    return;
  }
  add_any_text();
  for (const char byte : text_) add_byte(byte);
  add_any_text();
}

Pattern Pattern::whole(std::string_view text) {
  Pattern pattern;
  pattern.begin(text);
  for (const char byte : pattern.text_) pattern.add_byte(byte);
  return pattern;
}

void Pattern::begin(std::string_view text) {
  text_ = text.substr(0, kLongest);
  std::transform(text_.begin(), text_.end(), text_.begin(), lower);
  words_ = text_.size() < kWordBits ? 1 : kMostWords;
  accepts_.resize(kBytes * words_);
  stars_.resize(words_);
  wide_.resize(words_);
}

void Pattern::add_glob() {
  for (std::size_t at = 0; at < text_.size(); ++at) {
    const std::size_t end = text_[at] == '[' ? class_end(text_, at) : std::string::npos;
    if (end != std::string::npos) {
      add_class(at + 1, end);
      at = end;
    } else if (text_[at] == '*') {
      add_any_text();
    } else if (text_[at] == '?') {
      add_character([](std::uint8_t) { return true; });
    } else {
      if (text_[at] == '\\' && at + 1 < text_.size()) ++at;
      add_byte(text_[at]);
    }
  }
}

void Pattern::add_class(std::size_t begin, std::size_t end) {
  const bool all_others = text_[begin] == '!' || text_[begin] == '^';
  if (all_others) ++begin;
  const Class set = members(std::string_view(text_).substr(begin, end - begin));
  add_character([&](std::uint8_t byte) { return set[byte_of(lower(static_cast<char>(byte)))] != all_others; });
}

void Pattern::add_any_text() { stars_[characters_ / kWordBits] |= std::uint64_t{1} << characters_ % kWordBits; }

void Pattern::add_byte(char byte) {
  const std::uint64_t bit = std::uint64_t{1} << characters_ % kWordBits;
  const std::size_t word = characters_++ / kWordBits;
  accepts_[byte_of(byte) * words_ + word] |= bit;
  if (byte >= 'a' && byte <= 'z') accepts_[byte_of(static_cast<char>(byte - 'a' + 'A')) * words_ + word] |= bit;
}

template <class Accepts>
void Pattern::add_character(const Accepts& accepts) {
  const std::uint64_t bit = std::uint64_t{1} << characters_ % kWordBits;
  const std::size_t word = characters_++ / kWordBits;
  for (std::size_t i = 0; i < kBytes; ++i) {
    const auto byte = static_cast<std::uint8_t>(i);
    if (!continues(byte) && accepts(byte)) accepts_[i * words_ + word] |= bit;
  }
  wide_[characters_ / kWordBits] |= std::uint64_t{1} << characters_ % kWordBits;
}

template <std::size_t kWords>
bool Pattern::run(std::string_view name, Part part) const {
  std::array<std::uint64_t, kWords> state{1};
  const auto is_accepted = [&] { return (state[characters_ / kWordBits] >> characters_ % kWordBits & 1U) != 0; };
  for (const char c : name) {
    if (part == Part::kLeading && c == '/' && is_accepted()) return true;
    const std::uint8_t byte = byte_of(c);
    const std::uint64_t more = continues(byte) ? ~std::uint64_t{0} : 0;
    const std::uint64_t* const accepts = &accepts_[byte * kWords];
    std::uint64_t carry = 0;
    std::uint64_t any = 0;
    for (std::size_t i = 0; i < kWords; ++i) {
      const std::uint64_t taken = state[i] & accepts[i];
      state[i] = taken << 1U | carry | (state[i] & (stars_[i] | (wide_[i] & more)));
      carry = taken >> (kWordBits - 1);
      any |= state[i];
    }
    if (part == Part::kEnd && c == '/') {
      state[0] |= 1U;
    } else if (any == 0 && part != Part::kEnd) {
      return false;
    }
  }
  return part != Part::kLeading && is_accepted();
}

bool Pattern::run(std::string_view name, Part part) const {
  if (accepts_.empty() || name.empty()) return false;
  return words_ == 1 ? run<1>(name, part) : run<kMostWords>(name, part);
}

bool Pattern::matches(std::string_view name) const { return run(name, Part::kWhole); }
bool Pattern::matches_leading_part(std::string_view name) const { return run(name, Part::kLeading); }
bool Pattern::matches_end(std::string_view path) const { return run(path, Part::kEnd); }

}  // namespace twtrace::view
