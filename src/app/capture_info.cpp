// SPDX-License-Identifier: Apache-2.0
#include "app/capture_info.hpp"

#include <unistd.h>

#include "app/version.hpp"
#include "kernel/net_settings.hpp"
#include "kernel/procfs.hpp"

namespace twtrace::app {

model::CaptureInfo capture_info(const trace::Session& session, double interval_s) {
  const model::Snapshot head = session.head();
  model::CaptureInfo info;
  info.twtrace_version = kVersion;
  info.host = head.host;
  info.probe = head.probe;
  info.interval_s = interval_s;
  info.bucket_bytes = kernel::read_bucket_bytes();
  return info;
}

model::CaptureWriter this_process() {
  const auto pid = static_cast<std::uint32_t>(::getpid());
  const auto stat = kernel::Procfs().stat(pid);
  const auto ticks_per_s = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  const std::uint64_t start_ns = stat ? stat->start_ticks * (1'000'000'000U / ticks_per_s) : 0;
  return {pid, static_cast<std::int64_t>(start_ns)};
}

}  // namespace twtrace::app
