// SPDX-License-Identifier: Apache-2.0
// The text of --help.
#pragma once

#include <string>
#include <string_view>

#include "app/option_list.hpp"

namespace twtrace::app {

/// "twtrace capture [OPTIONS] [-- COMMAND [ARGUMENT...]]".
std::string usage_text(const OptionList& list);

/// All options of the list, section by section, and its notes.
std::string options_text(const OptionList& list);

/// Two columns, indented.
std::string entry_text(std::string_view left, std::string_view right);

/// "print it" as a sentence: "Print it."
std::string sentence(std::string_view about);

}  // namespace twtrace::app
