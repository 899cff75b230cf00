// SPDX-License-Identifier: Apache-2.0
#include "app/after_start.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "app/run_as.hpp"
#include "capture/target_file.hpp"
#include "kernel/capabilities.hpp"
#include "kernel/procfs.hpp"

namespace twtrace::app {

trace::Reduction reading_only() {
  trace::Reduction reduction;
  if (::geteuid() == 0) reduction.account = trace::nobody();
  return reduction;
}

trace::Reduction writing_to(const std::string& path) {
  trace::Reduction reduction;
  const capture::Invoker caller = capture::invoker();
  if (::geteuid() != 0 || caller.uid == 0) return reduction;
  if (!capture::can_write_without_privileges(path, caller)) {
    reduction.duties.insert(trace::Duty::kWriteForOthers);
    return reduction;
  }
  const auto known = find_user(std::to_string(caller.uid));
  reduction.account = trace::Account{caller.uid, caller.gid, known ? known->groups : std::vector<gid_t>{caller.gid}};
  return reduction;
}

trace::Reduction replacing(const std::string& path) {
  trace::Reduction reduction;
  const std::string directory = path.substr(0, path.rfind('/') + 1) + ".";
  struct stat place {};
  if (::geteuid() != 0 || ::stat(directory.c_str(), &place) != 0) return reduction;
  if (place.st_uid != 0) reduction.account = trace::Account{place.st_uid, place.st_gid, {}};
  return reduction;
}

base::Result<void> keep_only(std::set<trace::Duty> duties) {
  const auto held = kernel::effective_capabilities(kernel::Procfs());
  if (!held || *held == kernel::CapabilitySet{}) return {};
  trace::Reduction reduction;
  reduction.duties = std::move(duties);
  auto dropped = trace::reduce_privileges(reduction);
  if (!dropped) dropped.error().hint.clear();  // there is no --keep-privileges
  return dropped;
}

base::Result<void> drop_privileges(const TracingOptions& tracing, trace::Reduction reduction) {
  if (tracing.keep_privileges) return {};
  if (trace::maps_need_capability()) reduction.duties.insert(trace::Duty::kReadMaps);
  return trace::reduce_privileges(reduction);
}

}  // namespace twtrace::app
