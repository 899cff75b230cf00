// SPDX-License-Identifier: Apache-2.0
#include "app/privileges.hpp"

#include <linux/capability.h>

#include <array>
#include <string>

#include "kernel/capabilities.hpp"
#include "kernel/procfs.hpp"

namespace twtrace::app {

base::Result<void> check_privileges() {
  const auto effective = kernel::effective_capabilities(kernel::Procfs());
  if (!effective) return {};  // no /proc: the kernel decides
  // CAP_SYS_ADMIN includes both (bpf_capable and perfmon_capable of linux/capability.h); before 5.8 it is the only way.
  if (effective->has(CAP_SYS_ADMIN)) return {};
  constexpr std::array<unsigned, 2> kNeeded = {CAP_BPF, CAP_PERFMON};
  std::string names;
  for (const unsigned number : effective->missing(kNeeded)) {
    names += (names.empty() ? "" : " and ") + kernel::capability_name(number);
  }
  if (names.empty()) return {};
  return base::fail(base::ErrorCode::kPermission, "tracing needs " + names + ", which this process lacks",
                    "run it with sudo, or grant them: setcap cap_bpf,cap_perfmon,cap_sys_admin+ep twtrace");
}

}  // namespace twtrace::app
