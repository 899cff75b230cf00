// SPDX-License-Identifier: Apache-2.0
// Each command is in commands/NAME.cpp. To add a command, add its file and name it twice below.
#include "app/commands.hpp"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "base/nearest.hpp"

namespace twtrace::app {

extern const Command kTop;
extern const Command kEvents;
extern const Command kCapture;
extern const Command kMark;
extern const Command kReport;
extern const Command kDiff;
extern const Command kReplay;
extern const Command kExport;
extern const Command kDoctor;
extern const Command kDemo;
extern const Command kCompletion;
extern const Command kHelp;

std::span<const Command* const> commands() {
  static constexpr std::array kCommands = {&kTop,    &kEvents, &kCapture, &kMark, &kReport,     &kDiff,
                                           &kReplay, &kExport, &kDoctor,  &kDemo, &kCompletion, &kHelp};
  return kCommands;
}

base::Result<const Command*> command_named(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Command* command : commands()) {
    if (command->name == name) return command;
    names.push_back(command->name);
  }
  return base::fail(base::ErrorCode::kUsage, fmt::format("unknown command \"{}\"", name),
                    base::did_you_mean(name, names) + "twtrace help lists the commands");
}

}  // namespace twtrace::app
