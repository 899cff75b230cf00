// SPDX-License-Identifier: Apache-2.0
// `twtrace completion SHELL`: the script that makes a shell complete the command line of twtrace. `twtrace completion
// -- WORD...`: what these scripts ask at every Tab.
#include "app/completion.hpp"

#include <optional>
#include <string>
#include <vector>

#include "app/command.hpp"
#include "app/completion_scripts.hpp"
#include "app/option_values.hpp"
#include "app/streams.hpp"

namespace twtrace::app {
namespace {

struct CompletionCommand {
  const char* script = nullptr;
  std::optional<std::vector<std::string>> words;

  void declare(OptionList& list);
  base::Result<int> run() const;
};

void CompletionCommand::declare(OptionList& list) {
  list.usage = "SHELL | -- WORD...";
  list.word(
      "SHELL", "bash, zsh or fish",
      one_of<const char*>(script, {{"bash", kBashCompletion}, {"zsh", kZshCompletion}, {"fish", kFishCompletion}}));
  list.take_command = [this](const std::vector<std::string>& typed) -> base::Result<void> {
    words = typed;
    return {};
  };
  list.check([this]() -> base::Result<void> {
    if (script == nullptr && !words) {
      return base::fail(base::ErrorCode::kUsage, "SHELL is missing", "type twtrace completion bash, zsh or fish");
    }
    if (script != nullptr && words) {
      return base::fail(base::ErrorCode::kUsage, "SHELL and words to complete are given", "give only one of them");
    }
    return {};
  });
  list.notes.emplace_back(
      "In bash, eval \"$(twtrace completion bash)\" switches completion on.\n"
      "The script calls twtrace completion -- WORD..., which prints what may follow.");
}

base::Result<int> CompletionCommand::run() const {
  if (auto written = print(words ? completion_text(complete(*words)) : script); !written) {
    return tl::unexpected(written.error());
  }
  return kExitOk;
}

}  // namespace

extern const Command kCompletion = {"completion", "print the completion script of a shell", prepare<CompletionCommand>};

}  // namespace twtrace::app
