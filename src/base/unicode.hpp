// SPDX-License-Identifier: Apache-2.0
// Code points: decoding UTF-8 and what a terminal does with each. No locale is involved.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace twtrace::base {

/// One step through a byte string: a code point, or bytes that do not form one.
struct Decoded {
  std::uint32_t code_point = 0;  ///< meaningless when not valid
  std::size_t size = 0;          ///< bytes taken, at least 1
  bool valid = false;            ///< false: `size` bytes are one maximal subpart of an ill-formed sequence
};

/// Decodes the front of `bytes`, which must not be empty. Overlong forms, surrogates and values above U+10FFFF are
/// ill-formed; the extent of an ill-formed step follows Unicode 15, table 3-8 (one U+FFFD per maximal subpart).
Decoded decode_utf8(std::string_view bytes);

/// Columns a terminal gives to a code point: 0 for combining marks, 2 for East Asian wide and emoji, else 1 (Unicode
/// 14, categories Mn and Me, East_Asian_Width W and F). Invisible code points count 0.
int code_point_width(std::uint32_t code_point);

/// True for code points that a reader cannot see, or that change how the rest is shown: C0, DEL, C1, format characters
/// (bidi controls, zero width), line and paragraph separators, default-ignorable code points, non-characters.
bool is_invisible(std::uint32_t code_point);

}  // namespace twtrace::base
