// SPDX-License-Identifier: Apache-2.0
// `twtrace demo`: the live view over a stage that shows what twtrace is for.
#include "demo/demo.hpp"

#include <cstdio>
#include <string>

#include "app/command.hpp"
#include "app/event_loop.hpp"
#include "app/table_watch.hpp"
#include "base/log.hpp"

namespace twtrace::app {
namespace {

struct Demo {
  TableWatch watch;

  void declare(OptionList& list) { watch.declare(list); }
  base::Result<int> run();
};

base::Result<int> Demo::run() {
  EventLoop::hold_signals();  // so that nothing is left behind by an early Ctrl-C
  auto stage = demo::Demo::start();
  if (!stage) return tl::unexpected(stage.error());
  if (!stage->unnamed().empty()) spdlog::warn("the demo's services have no names: {}", stage->unnamed());
  std::fputs(demo::Demo::explanation().c_str(), stderr);
  if (watch.table.filter.netns.empty()) watch.table.filter.netns = std::to_string(stage->netns());
  return watch.run([&stage] { stage->begin(); });
}

}  // namespace

extern const Command kDemo = {"demo", "watch a private namespace whose table overflows", prepare<Demo>};

}  // namespace twtrace::app
