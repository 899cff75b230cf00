// SPDX-License-Identifier: Apache-2.0
// Draws a picture and the user's choices as a grid of cells. Pure: nothing here knows a terminal.
#pragma once

#include <optional>

#include "tui/composer.hpp"
#include "tui/draw_options.hpp"
#include "tui/frame.hpp"
#include "tui/view_state.hpp"

namespace twtrace::tui {

/// What actions depend on, for a screen of this size.
Context context_of(const Picture& picture, const ViewState& state, Size size);

/// What a click on a cell of the screen asks for: a view, a column to sort by, a row to open, or a line of a menu.
/// Nothing elsewhere. `state` must be settled.
std::optional<KeyAction> click_action(const Picture& picture, const ViewState& state, Size size,
                                      const DrawOptions& options, const Key& click);

/// Draws the whole screen, of any size. Computes only what is on it. `state` must be settled.
Frame draw(const Picture& picture, const ViewState& state, Size size, const DrawOptions& options);

}  // namespace twtrace::tui
