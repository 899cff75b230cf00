// SPDX-License-Identifier: Apache-2.0
// A private network namespace that lives as long as the object.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/unique_fd.hpp"
#include "support/net_counters.hpp"

namespace twtrace::test {

/// Names under net.ipv4 and their values, for example {"tcp_max_tw_buckets", "100"}.
using Sysctls = std::map<std::string, std::string>;

/// A new network namespace with lo up, held by a sleeping process named "tw-sandbox"; gone when the object and the
/// processes inside are. Needs root; throws std::runtime_error on failure. Move is not supported.
class NetnsSandbox {
 public:
  explicit NetnsSandbox(const Sysctls& sysctls = {});
  NetnsSandbox(const NetnsSandbox&) = delete;
  NetnsSandbox& operator=(const NetnsSandbox&) = delete;
  ~NetnsSandbox();

  int fd() const { return fd_.get(); }
  std::uint64_t inode() const { return inode_; }
  NetCounters counters() const { return read_counters(holder_); }
  /// The counters once they have stopped changing: the last segments may still be in a softirq when a workload ends.
  NetCounters settled_counters() const;
  void set_sysctl(const std::string& name, const std::string& value) const;
  std::int64_t limit() const;
  /// Makes receive packet steering run the softirqs of lo on `cpu`. False when the kernel cannot.
  bool steer_softirqs_to(int cpu) const;

 private:
  bool run_inside(const std::function<bool()>& action) const;

  pid_t holder_ = -1;
  base::UniqueFd fd_;
  base::UniqueFd lifeline_;  ///< the holder ends when this is closed
  std::uint64_t inode_ = 0;
};

}  // namespace twtrace::test
