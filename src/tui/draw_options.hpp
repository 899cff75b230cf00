// SPDX-License-Identifier: Apache-2.0
// How to draw, apart from what.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "tui/frame.hpp"

namespace twtrace::tui {

/// Input that does not come from the trace.
struct DrawOptions {
  Charset charset = Charset::kUnicode;
  /// Returns the command line of the process with this pid and name, if it can be read. Called only for rows on the
  /// screen. May be empty.
  std::function<std::optional<std::string>(std::uint32_t pid, const std::string& comm)> command_line;
};

}  // namespace twtrace::tui
