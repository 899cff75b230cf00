// SPDX-License-Identifier: Apache-2.0
// A cgroup that limits the memory of its processes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace twtrace::test {

/// Made by make(), removed on destruction; its processes must have ended by then.
class MemoryCgroup {
 public:
  /// In the hierarchy that has the memory controller, v1 or v2. Null, with the test marked as skipped, where there is
  /// none to make cgroups in.
  static std::unique_ptr<MemoryCgroup> make(std::uint64_t limit_bytes);
  MemoryCgroup(const MemoryCgroup&) = delete;
  MemoryCgroup& operator=(const MemoryCgroup&) = delete;
  ~MemoryCgroup();

  /// The command line that runs `argv` in it.
  std::vector<std::string> around(const std::vector<std::string>& argv) const;
  /// The file that holds the limit.
  std::string limit_file() const { return directory_ + "/" + limit_; }
  /// How often its processes wanted more than the limit; each time may have been the death of one.
  std::uint64_t times_at_limit() const;

 private:
  MemoryCgroup(std::string directory, std::string limit);

  std::string directory_;
  std::string limit_;
};

}  // namespace twtrace::test
