// SPDX-License-Identifier: Apache-2.0
// `twtrace demo`: the live view over a stage that shows what twtrace is for.
#include <cstdio>

#include "app/command.hpp"
#include "app/event_loop.hpp"
#include "base/log.hpp"
#include "demo/demo.hpp"

namespace twtrace::app {

base::Result<int> run_demo(const Options& asked) {
  EventLoop::hold_signals();  // so that nothing is left behind by an early Ctrl-C
  auto demo = demo::Demo::start();
  if (!demo) return tl::unexpected(demo.error());
  if (!demo->unnamed().empty()) spdlog::warn("the demo's services have no names: {}", demo->unnamed());
  std::fputs(demo::Demo::explanation().c_str(), stderr);
  Options options = asked;
  if (options.netns.empty()) options.netns = std::to_string(demo->netns());
  return run_top(options, [&demo] { demo->begin(); });
}

}  // namespace twtrace::app
