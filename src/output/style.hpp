// SPDX-License-Identifier: Apache-2.0
// Colour for text output: the 16 ANSI colours on the user's own background. Colour is never the only sign of anything.
#pragma once

#include <string>
#include <string_view>

namespace twtrace::output {

/// Whether text may have colours.
enum class Color { kNever, kAlways };

/// `text` in red, which means "overflow", or plain text if colour is off.
std::string alarm(std::string_view text, Color color);

}  // namespace twtrace::output
