// SPDX-License-Identifier: Apache-2.0
// A private cgroup in the v2 hierarchy.
#pragma once

#include <string>

namespace twtrace::test {

/// Creates a cgroup with a unique name at the top of the cgroup v2 mount. The destructor removes it; by then its
/// processes must have ended. Throws std::runtime_error if there is no cgroup v2 hierarchy to write to.
class CgroupSandbox {
 public:
  explicit CgroupSandbox(const std::string& name);
  CgroupSandbox(const CgroupSandbox&) = delete;
  CgroupSandbox& operator=(const CgroupSandbox&) = delete;
  ~CgroupSandbox();

  /// Its directory, for example "/sys/fs/cgroup/unified/twtrace-test-12-web".
  const std::string& directory() const { return directory_; }
  /// The kernel's name for it, for example "/twtrace-test-12-web".
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::string directory_;
};

}  // namespace twtrace::test
