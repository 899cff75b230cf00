// SPDX-License-Identifier: Apache-2.0
// A CPU that a test switches off and on.
#pragma once

namespace twtrace::test {

/// CPU 1. The destructor switches it on again.
class HotplugCpu {
 public:
  HotplugCpu() = default;
  HotplugCpu(const HotplugCpu&) = delete;
  HotplugCpu& operator=(const HotplugCpu&) = delete;
  ~HotplugCpu() { set(true); }

  /// False if the kernel refuses.
  bool set(bool online);
};

/// Works only in a machine made for the test ($TWTRACE_EXACT=1), with two CPUs. Otherwise marks the test as skipped.
bool hotplug_possible();

}  // namespace twtrace::test
