// SPDX-License-Identifier: Apache-2.0
// A picture and the user's choices as a grid of cells. Pure: nothing here knows a terminal.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "tui/composer.hpp"
#include "tui/frame.hpp"
#include "tui/view_state.hpp"

namespace twtrace::tui {

/// What does not come from the trace.
struct DrawOptions {
  Charset charset = Charset::kUnicode;
  /// The command line of the process with this pid and name, when it can be had. Asked only for rows that are shown;
  /// may be empty.
  std::function<std::optional<std::string>(std::uint32_t pid, const std::string& comm)> command_line;
};

/// What actions depend on, for a screen of this size.
Context context_of(const Picture& picture, const ViewState& state, Size size);

/// The whole screen. Any size will do; what is not on it is not computed. `state` has been settled.
Frame draw(const Picture& picture, const ViewState& state, Size size, const DrawOptions& options);

}  // namespace twtrace::tui
