// SPDX-License-Identifier: Apache-2.0
// How names are looked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace twtrace::view {

/// Upper and lower case (ASCII) are the same.
bool equal_ignoring_case(std::string_view left, std::string_view right);

/// A text to find in names. Without glob characters (* ? [) it may stand anywhere in the name; with them it is a shell
/// pattern for the whole name: `*` is any text, `?` one character, `[...]` one of several, `\` takes the next character
/// as it is. Upper and lower case (ASCII) are the same. Names and patterns are UTF-8, but any bytes are safe.
///
/// To compare costs the same per byte of the name, whatever the pattern and the name are. A value; safe to share.
class Pattern {
 public:
  /// Bytes of a longer text are left out. Who takes a pattern from outside refuses longer ones.
  static constexpr std::size_t kLongest = 512;

  /// Found nowhere.
  Pattern() = default;
  explicit Pattern(std::string_view text);
  /// Equal to the whole name, whatever characters it has.
  static Pattern whole(std::string_view text);

  /// An empty name matches nothing.
  bool matches(std::string_view name) const;
  /// True if the text before one of the slashes of a name matches.
  bool matches_leading_part(std::string_view name) const;
  /// True if a path matches, or what follows one of its slashes.
  bool matches_end(std::string_view path) const;
  /// In lower case.
  const std::string& text() const { return text_; }
  /// What it costs to compare one byte of a name, in words of 64 bits.
  std::size_t cost_per_byte() const { return words_; }

 private:
  enum class Part { kWhole, kLeading, kEnd };

  void add_glob();
  void add_class(std::size_t begin, std::size_t end);
  void add_byte(char byte);
  template <class Accepts>
  void add_character(const Accepts& accepts);
  void add_any_text();
  void begin(std::string_view text);
  template <std::size_t kWords>
  bool run(std::string_view name, Part part) const;
  bool run(std::string_view name, Part part) const;

  /// One bit for each number of characters of the pattern that the name so far can be.
  using Bits = std::vector<std::uint64_t>;

  std::string text_;
  std::size_t words_ = 1;       ///< of one set of bits
  std::size_t characters_ = 0;  ///< without the stars
  Bits accepts_;                ///< for each byte: the characters that it is, or begins
  Bits stars_;                  ///< the places where any text may stand
  Bits wide_;                   ///< the places where more bytes of one character of UTF-8 may follow
};

}  // namespace twtrace::view
