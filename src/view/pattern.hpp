// SPDX-License-Identifier: Apache-2.0
// How names are looked for.
#pragma once

#include <string>
#include <string_view>

namespace twtrace::view {

/// A text to find in names. Without glob characters (* ? [) it may stand anywhere in the name; with them it is a shell
/// pattern for the whole name. Upper and lower case (ASCII) are the same. Any bytes are safe.
class Pattern {
 public:
  /// Found nowhere.
  Pattern() = default;
  explicit Pattern(std::string_view text);
  /// Equal to the whole name, whatever characters it has.
  static Pattern whole(std::string_view text);

  /// An empty name matches nothing.
  bool matches(std::string_view name) const;
  /// In lower case.
  const std::string& text() const { return text_; }

 private:
  enum class How { kContains, kGlob, kEqual };

  Pattern(std::string_view text, How how);

  std::string text_;
  How how_ = How::kEqual;
};

}  // namespace twtrace::view
