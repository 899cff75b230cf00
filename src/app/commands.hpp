// SPDX-License-Identifier: Apache-2.0
// The list of commands.
#pragma once

#include <span>
#include <string_view>

#include "app/command.hpp"

namespace twtrace::app {

/// All commands, in the order of the help. The first one is the default.
std::span<const Command* const> commands();

/// The command with this name. kUsage names the nearest one.
base::Result<const Command*> command_named(std::string_view name);

}  // namespace twtrace::app
