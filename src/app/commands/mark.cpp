// SPDX-License-Identifier: Apache-2.0
// `twtrace mark`: gives this moment of a running capture a name.
#include "app/command.hpp"
#include "base/clock.hpp"
#include "capture/marker.hpp"
#include "kernel/procfs.hpp"

namespace twtrace::app {

base::Result<int> run_mark(const Options& options) {
  const model::Mark mark{base::SystemClock().unix_ms(), options.mark.name};
  const auto alive = [](const capture::WriterProcess& process) {
    return kernel::Procfs().alive(process.pid, process.start_ns);
  };
  if (auto added = capture::add_mark(options.mark.file, mark, alive); !added) return tl::unexpected(added.error());
  return kExitOk;
}

}  // namespace twtrace::app
