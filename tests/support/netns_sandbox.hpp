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

/// A new network namespace with lo up, held by a sleeping process named "tw-sandbox". Needs root; throws
/// std::runtime_error on failure. Move is not supported. Up to kInodesKept namespaces outlive their objects. A
/// descriptor holds each of them. Otherwise the kernel would reuse the inode numbers at once, and a twtrace that runs
/// for several sandboxes would show two namespaces of the same name.
class NetnsSandbox {
 public:
  static constexpr int kInodesKept = 64;

  /// Releases the namespaces that outlived their objects.
  static void release_kept();

  /// `hash_chains` is a power of two. If it is given, the namespace gets its own hash of established connections, small
  /// enough for a test to fill every chain. Before 6.1 (tcp_child_ehash_entries) it shares the host's.
  explicit NetnsSandbox(const Sysctls& sysctls = {}, unsigned hash_chains = 0);
  NetnsSandbox(const NetnsSandbox&) = delete;
  NetnsSandbox& operator=(const NetnsSandbox&) = delete;
  ~NetnsSandbox();

  /// Ends the namespace for good, as soon as the processes inside have ended. Do not use the object after that.
  void remove();

  int fd() const { return fd_.get(); }
  /// The process that holds it.
  pid_t holder() const { return holder_; }
  std::uint64_t inode() const { return inode_; }
  NetCounters counters() const { return read_counters(holder_); }
  /// The counters after they have stopped changing. The last segments may still be in a softirq when a workload ends.
  NetCounters settled_counters() const;
  void set_sysctl(const std::string& name, const std::string& value) const;
  std::int64_t limit() const;
  /// Makes receive packet steering run the softirqs of lo on `cpu`. False if the kernel cannot.
  bool steer_softirqs_to(int cpu) const;

 private:
  bool run_inside(const std::function<bool()>& action) const;

  pid_t holder_ = -1;
  base::UniqueFd fd_;
  base::UniqueFd lifeline_;  ///< the holder ends when this is closed
  std::uint64_t inode_ = 0;
};

}  // namespace twtrace::test
