// SPDX-License-Identifier: Apache-2.0
#include "support/hotplug_cpu.hpp"

#include <fstream>

#include "support/environment.hpp"

namespace twtrace::test {
namespace {

constexpr const char* kSwitch = "/sys/devices/system/cpu/cpu1/online";

}  // namespace

bool HotplugCpu::set(bool online) {
  std::ofstream file(kSwitch);
  file << (online ? "1" : "0") << std::flush;
  return file.good();
}

bool hotplug_possible() {
  if (exact_under_steering() && std::ifstream(kSwitch)) return true;
  mark_skipped("switches a CPU off: only in a machine of vmtests, with two CPUs");
  return false;
}

}  // namespace twtrace::test
