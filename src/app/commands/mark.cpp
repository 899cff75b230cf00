// SPDX-License-Identifier: Apache-2.0
// `twtrace mark`: names this moment of a running capture.
#include <cstdlib>
#include <string>

#include "app/after_start.hpp"
#include "app/command.hpp"
#include "app/option_values.hpp"
#include "base/clock.hpp"
#include "capture/marker.hpp"

namespace twtrace::app {
namespace {

struct Mark {
  std::string file = "twtrace.db";
  std::string name;

  void declare(OptionList& list);
  base::Result<int> run() const;
};

void Mark::declare(OptionList& list) {
  const char* running = std::getenv("TWTRACE_CAPTURE");  // capture sets it for its command
  if (running != nullptr && *running != '\0') file = running;
  list.required_word("NAME", "what is happening, as in 'workers restarted'", text(name));
  list.section("Output");
  list.option("-o,--output", "FILE", "the running capture (default: see below)", app::file(file));
  list.notes.emplace_back(
      "The default FILE is $TWTRACE_CAPTURE, which capture sets for its command, or\ntwtrace.db if that is not set.");
}

base::Result<int> Mark::run() const {
  if (auto dropped = keep_only({trace::Duty::kWriteForOthers}); !dropped) return tl::unexpected(dropped.error());
  const model::Mark mark{base::SystemClock().unix_ms(), name};
  if (auto added = capture::add_mark(file, mark); !added) return tl::unexpected(added.error());
  return kExitOk;
}

}  // namespace

extern const Command kMark = {"mark", "name this moment of a running capture", prepare<Mark>};

}  // namespace twtrace::app
