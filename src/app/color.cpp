// SPDX-License-Identifier: Apache-2.0
#include "app/color.hpp"

#include <unistd.h>

#include <cstdlib>

namespace twtrace::app {

output::Color color_on(int stream, ColorWhen when) {
  const char* no_color = std::getenv("NO_COLOR");
  const bool wanted = no_color == nullptr || *no_color == '\0';
  const bool automatic = when == ColorWhen::kAuto && wanted && ::isatty(stream) != 0;
  return when == ColorWhen::kAlways || automatic ? output::Color::kAlways : output::Color::kNever;
}

}  // namespace twtrace::app
