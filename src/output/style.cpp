// SPDX-License-Identifier: Apache-2.0
#include "output/style.hpp"

namespace twtrace::output {

std::string alarm(std::string_view text, Color color) {
  if (color == Color::kNever) return std::string(text);
  return "\x1b[31m" + std::string(text) + "\x1b[0m";
}

}  // namespace twtrace::output
