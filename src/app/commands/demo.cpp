// SPDX-License-Identifier: Apache-2.0
// `twtrace demo`: shows the demo's namespace in the live view.
#include "demo/demo.hpp"

#include <linux/capability.h>
#include <unistd.h>

#include <string>

#include "app/command.hpp"
#include "app/signals.hpp"
#include "app/streams.hpp"
#include "app/table_watch.hpp"
#include "base/log.hpp"
#include "kernel/capabilities.hpp"
#include "trace/least_privilege.hpp"

namespace twtrace::app {
namespace {

struct Demo {
  TableWatch watch;

  void declare(OptionList& list) { watch.declare(list); }
  base::Result<int> run();
};

/// The keeper has to end the others, also as another user.
base::Result<void> reduce_worker() {
  trace::Reduction reduction;
  const auto held = kernel::effective_capabilities(kernel::Procfs());
  if (::geteuid() == 0 && held && held->has(CAP_KILL)) reduction.account = trace::nobody();
  reduction.network = trace::Network::kConnects;
  return trace::reduce_privileges(reduction);
}

base::Result<int> Demo::run() {
  if (auto taken = take_signals_over(); !taken) return tl::unexpected(taken.error());
  const auto make = [this] {
    const NoForcedEnd until_it_can_be_undone;
    return demo::Demo::start(watch.tracing.keep_privileges ? demo::Reduce() : demo::Reduce(reduce_worker));
  };
  auto stage = make();
  if (!stage) return tl::unexpected(stage.error());
  if (!stage->unnamed().empty()) spdlog::warn("the demo's services have no names: {}", stage->unnamed());
  write_stderr(demo::Demo::explanation());
  if (watch.table.filter.netns.empty()) watch.table.filter.netns = std::to_string(stage->netns());
  return watch.run([&stage] { stage->begin(); });
}

}  // namespace

extern const Command kDemo = {"demo", "watch a private namespace whose table overflows", prepare<Demo>};

}  // namespace twtrace::app
