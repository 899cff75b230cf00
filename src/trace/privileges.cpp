// SPDX-License-Identifier: Apache-2.0
#include "trace/privileges.hpp"

#include <string>

#include "kernel/capabilities.hpp"
#include "kernel/file.hpp"
#include "kernel/procfs.hpp"

namespace twtrace::trace {
namespace {

std::string setcap_command(bool raises_memlock) {
  const std::string program = kernel::read_link("/proc/self/exe").value_or("twtrace");
  return "setcap cap_bpf,cap_perfmon" + std::string(raises_memlock ? ",cap_sys_resource" : "") + "+ep " + program;
}

}  // namespace

base::Result<void> check_privileges(bool raises_memlock) {
  const auto effective = kernel::effective_capabilities(kernel::Procfs());
  if (!effective) return {};  // no /proc: the kernel decides
  std::string names;
  for (const unsigned number : kernel::missing_for_tracing(*effective, raises_memlock)) {
    names += (names.empty() ? "" : " and ") + kernel::capability_name(number);
  }
  if (names.empty()) return {};
  const std::string why = raises_memlock ? " (before Linux 5.11 the memory of BPF maps has to be locked)" : "";
  return base::fail(base::ErrorCode::kPermission, "tracing needs " + names + ", which this process lacks" + why,
                    "run it with sudo, or grant them: " + setcap_command(raises_memlock));
}

}  // namespace twtrace::trace
