// SPDX-License-Identifier: Apache-2.0
#include "support/cgroup_sandbox.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "support/subprocess.hpp"

namespace twtrace::test {
namespace {

struct Hierarchy {
  std::string root;         ///< the mounted cgroup; empty for the topmost one
  std::string mount_point;  ///< where
};

// A bind mount may show only a part of the hierarchy. The kernel's names of cgroups start at the top.
Hierarchy cgroup2() {
  std::ifstream mounts("/proc/self/mountinfo");
  std::string line;
  while (std::getline(mounts, line)) {
    if (line.find(" - cgroup2 ") == std::string::npos) continue;
    std::istringstream words(line);
    std::string ignored;
    Hierarchy found;
    words >> ignored >> ignored >> ignored >> found.root >> found.mount_point;
    if (found.root == "/") found.root.clear();
    return found;
  }
  throw std::runtime_error("no cgroup2 mount");
}

}  // namespace

CgroupSandbox::CgroupSandbox(const std::string& name) {
  static int serial = 0;
  const Hierarchy hierarchy = cgroup2();
  const std::string leaf = "/twtrace-test-" + std::to_string(getpid()) + "-" + std::to_string(++serial) + "-" + name;
  path_ = hierarchy.root + leaf;
  directory_ = hierarchy.mount_point + leaf;
  if (mkdir(directory_.c_str(), 0755) != 0) throw std::runtime_error("mkdir " + directory_);
}

CgroupSandbox::~CgroupSandbox() {
  // A killed process leaves its cgroup a moment after it was reaped.
  wait_until([this] { return rmdir(directory_.c_str()) == 0; }, milliseconds(2000));
}

}  // namespace twtrace::test
