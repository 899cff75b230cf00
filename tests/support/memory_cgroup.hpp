// SPDX-License-Identifier: Apache-2.0
// A cgroup that limits the memory of its processes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace twtrace::test {

/// make() creates it, and the destructor removes it. By then its processes must have ended.
class MemoryCgroup {
 public:
  /// Uses the hierarchy that has the memory controller, v1 or v2. If it cannot make cgroups there, it marks the test as
  /// skipped and returns null.
  static std::unique_ptr<MemoryCgroup> make(std::uint64_t limit_bytes);
  MemoryCgroup(const MemoryCgroup&) = delete;
  MemoryCgroup& operator=(const MemoryCgroup&) = delete;
  ~MemoryCgroup();

  /// A command line that runs `argv` in this cgroup.
  std::vector<std::string> around(const std::vector<std::string>& argv) const;
  /// The file with the limit.
  std::string limit_file() const { return directory_ + "/" + limit_; }
  /// How often its processes wanted more than the limit; each time may have been the death of one.
  std::uint64_t times_at_limit() const;

 private:
  MemoryCgroup(std::string directory, std::string limit);

  std::string directory_;
  std::string limit_;
};

}  // namespace twtrace::test
