// SPDX-License-Identifier: Apache-2.0
// Colour for text output: the 16 ANSI colours on the user's own background, and never as the only sign of anything.
#pragma once

#include <string>
#include <string_view>

namespace twtrace::output {

enum class Color { kNever, kAlways };

/// `text` in red, which says "overflow", or plain when colour is off.
std::string alarm(std::string_view text, Color color);

}  // namespace twtrace::output
