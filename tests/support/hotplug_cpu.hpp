// SPDX-License-Identifier: Apache-2.0
// A CPU that a test switches off and on.
#pragma once

namespace twtrace::test {

/// CPU 1, which is switched on again whatever happens.
class HotplugCpu {
 public:
  HotplugCpu() = default;
  HotplugCpu(const HotplugCpu&) = delete;
  HotplugCpu& operator=(const HotplugCpu&) = delete;
  ~HotplugCpu() { set(true); }

  /// False when the kernel refuses.
  bool set(bool online);
};

/// Only in a machine that exists for the test ($TWTRACE_EXACT=1), with two CPUs; else marks the test as skipped.
bool hotplug_possible();

}  // namespace twtrace::test
