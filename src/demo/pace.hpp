// SPDX-License-Identifier: Apache-2.0
// How many connections are due by now. Pure.
#pragma once

#include <cstdint>

namespace twtrace::demo {

/// A steady rate, or one that comes in waves.
struct Pace {
  double per_s = 0;
  double first_s = 0;   ///< when the first wave begins
  double length_s = 0;  ///< of a wave; 0: it never ends
  double period_s = 0;  ///< from one wave to the next; 0: there is only one
};

/// Connections due `elapsed_s` after the start.
std::uint64_t due(const Pace& pace, double elapsed_s);

}  // namespace twtrace::demo
