// SPDX-License-Identifier: Apache-2.0
#include "trace/privileges.hpp"

#include <string>
#include <vector>

#include "kernel/capabilities.hpp"
#include "kernel/file.hpp"
#include "kernel/procfs.hpp"

namespace twtrace::trace {
namespace {

std::string setcap_command(bool raises_memlock) {
  const std::string program = kernel::read_link("/proc/self/exe").value_or("twtrace");
  return "setcap cap_bpf,cap_perfmon" + std::string(raises_memlock ? ",cap_sys_resource" : "") + "+ep " + program;
}

constexpr const char* kWhereTheyCount =
    "run twtrace with sudo on the host, or in a container of root: sudo podman run --cap-add BPF --cap-add PERFMON ...";

std::string joined(const std::vector<unsigned>& capabilities, const std::string& between, std::size_t skip = 0) {
  std::string text;
  for (const unsigned number : capabilities) {
    text += (text.empty() ? "" : between) + kernel::capability_name(number).substr(skip);
  }
  return text;
}

/// How to get what is missing. Where the bounding set lacks it, as in a container, no program can be given it.
std::string way_to_get(const std::vector<unsigned>& missing, bool raises_memlock) {
  if (!kernel::in_first_user_namespace(kernel::Procfs())) return kWhereTheyCount;
  const auto bounding = kernel::bounding_capabilities(kernel::Procfs());
  const std::vector<unsigned> unobtainable = bounding ? bounding->missing(missing) : std::vector<unsigned>();
  if (unobtainable.empty()) return "run it with sudo, or grant them: " + setcap_command(raises_memlock);
  constexpr std::size_t kPrefix = 4;  // "CAP_"
  return "start its container with --cap-add " + joined(unobtainable, " --cap-add ", kPrefix) +
         " (docker, podman; in Kubernetes capabilities.add), or its unit with " + joined(unobtainable, " ") +
         " in CapabilityBoundingSet=: the bounding set lacks them, so neither sudo nor setcap can grant them";
}

}  // namespace

base::Result<void> check_privileges(bool raises_memlock) {
  const auto effective = kernel::effective_capabilities(kernel::Procfs());
  if (!effective) return {};  // no /proc: the kernel decides
  const std::vector<unsigned> missing = kernel::missing_for_tracing(*effective, raises_memlock);
  if (missing.empty()) return {};
  const std::string why = raises_memlock ? " (before Linux 5.11 the memory of BPF maps has to be locked)" : "";
  return base::fail(base::ErrorCode::kPermission,
                    "tracing needs " + joined(missing, " and ") + ", which this process lacks" + why,
                    way_to_get(missing, raises_memlock));
}

base::Result<void> explain_refusal(bool raises_memlock) {
  if (!kernel::in_first_user_namespace(kernel::Procfs())) {
    return base::fail(base::ErrorCode::kPermission,
                      "this process is in a user namespace (a rootless container, unshare -U): the capabilities that "
                      "it has there do not count for BPF",
                      kWhereTheyCount);
  }
  auto permitted = check_privileges(false);
  return permitted && raises_memlock ? check_privileges(true) : permitted;
}

}  // namespace twtrace::trace
