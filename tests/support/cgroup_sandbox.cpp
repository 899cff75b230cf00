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

std::string cgroup2_root() {
  std::ifstream mounts("/proc/self/mounts");
  std::string line;
  while (std::getline(mounts, line)) {
    std::istringstream words(line);
    std::string device;
    std::string directory;
    std::string type;
    if (words >> device >> directory >> type && type == "cgroup2") return directory;
  }
  throw std::runtime_error("no cgroup2 mount");
}

}  // namespace

CgroupSandbox::CgroupSandbox(const std::string& name) {
  static int serial = 0;
  path_ = "/twtrace-test-" + std::to_string(getpid()) + "-" + std::to_string(++serial) + "-" + name;
  directory_ = cgroup2_root() + path_;
  if (mkdir(directory_.c_str(), 0755) != 0) throw std::runtime_error("mkdir " + directory_);
}

CgroupSandbox::~CgroupSandbox() {
  // Killed processes leave their cgroup a moment after they were reaped.
  wait_until([this] { return rmdir(directory_.c_str()) == 0; }, milliseconds(2000));
}

}  // namespace twtrace::test
