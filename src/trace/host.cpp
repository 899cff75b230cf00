// SPDX-License-Identifier: Apache-2.0
#include "trace/host.hpp"

#include <sys/utsname.h>

namespace twtrace::trace {

model::HostInfo host_info() {
  utsname name{};
  if (::uname(&name) != 0) return {};
  return {name.nodename, name.release};
}

}  // namespace twtrace::trace
