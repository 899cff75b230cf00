// SPDX-License-Identifier: Apache-2.0
// Whether output is coloured.
#pragma once

#include "output/style.hpp"

namespace twtrace::app {

/// --color.
enum class ColorWhen { kAuto, kAlways, kNever };

/// kAuto means colour if the stream is a terminal and NO_COLOR is not set (https://no-color.org: set and not empty).
output::Color color_on(int stream, ColorWhen when);

}  // namespace twtrace::app
