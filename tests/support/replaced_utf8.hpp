// SPDX-License-Identifier: Apache-2.0
// What JSON says of bytes that are not UTF-8.
#pragma once

#include <string>
#include <string_view>

#include "base/unicode.hpp"

namespace twtrace::test {

/// The same text with U+FFFD for each maximal ill-formed subpart, as Unicode recommends.
inline std::string replaced_utf8(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const base::Decoded step = base::decode_utf8(bytes);
    out += step.valid ? bytes.substr(0, step.size) : "\xEF\xBF\xBD";
    bytes.remove_prefix(step.size);
  }
  return out;
}

}  // namespace twtrace::test
