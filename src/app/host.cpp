// SPDX-License-Identifier: Apache-2.0
#include "app/host.hpp"

#include <sys/utsname.h>

namespace twtrace::app {

model::HostInfo host_info() {
  utsname name{};
  if (::uname(&name) != 0) return {};
  return {name.nodename, name.release};
}

}  // namespace twtrace::app
