// SPDX-License-Identifier: Apache-2.0
// `twtrace demo`: the live view over a stage that shows what twtrace is for.
#include <csignal>
#include <cstdio>

#include "app/command.hpp"
#include "base/log.hpp"
#include "demo/demo.hpp"

namespace twtrace::app {

base::Result<int> run_demo(const Options& asked) {
  // Held back until the event loop takes them over, so that nothing is left behind by an early Ctrl-C.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);

  auto demo = demo::Demo::start();
  if (!demo) return tl::unexpected(demo.error());
  if (!demo->unnamed().empty()) spdlog::warn("the demo's services have no names: {}", demo->unnamed());
  std::fputs(demo::Demo::explanation().c_str(), stderr);
  Options options = asked;
  if (options.netns.empty()) options.netns = std::to_string(demo->netns());
  return run_top(options, [&demo] { demo->begin(); });
}

}  // namespace twtrace::app
