// SPDX-License-Identifier: Apache-2.0
// Descriptions of terminals that are compiled in, for hosts without a terminfo database.
#pragma once

#include <string_view>

namespace twtrace::tui {

/// The description of a terminal type in the form that ncurses takes as the value of TERMINFO (since 6.1). Null if none
/// is compiled in.
const char* builtin_terminfo(std::string_view type);

}  // namespace twtrace::tui
