// SPDX-License-Identifier: Apache-2.0
// `twtrace help [COMMAND]`: the same as --help.
#include <string>
#include <utility>

#include "app/command.hpp"
#include "app/command_line.hpp"
#include "app/commands.hpp"
#include "app/option_values.hpp"
#include "app/streams.hpp"

namespace twtrace::app {
namespace {

struct Help {
  std::string command;  ///< empty: twtrace itself

  void declare(OptionList& list);
  base::Result<int> run() const;
};

void Help::declare(OptionList& list) {
  Take take = text(command);
  for (const Command* known : commands()) take.names.emplace_back(known->name);
  list.word("COMMAND", "the command to explain (default: twtrace)", std::move(take));
}

base::Result<int> Help::run() const {
  const auto named = command.empty() ? base::Result<const Command*>(nullptr) : command_named(command);
  if (!named) return tl::unexpected(named.error());
  if (auto written = print(help_text(*named)); !written) return tl::unexpected(written.error());
  return kExitOk;
}

}  // namespace

extern const Command kHelp = {"help", "explain twtrace, or one of its commands", prepare<Help>};

}  // namespace twtrace::app
