// SPDX-License-Identifier: Apache-2.0
// The features of this kernel, found by its BTF and never by its version.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "base/result.hpp"
#include "loader/mib_spans.hpp"

namespace twtrace::loader {

/// The features that this kernel has. --no-feature NAME switches one off, so that a new kernel runs the code paths of
/// an old one.
struct Features {
  bool kernel_btf = false;          ///< "btf": /sys/kernel/btf/vmlinux; fentry and tp_btf need it
  bool fentry = true;               ///< "fentry": worth trying; only an attach shows whether it works
  bool kprobe = true;               ///< "kprobe"
  bool tracepoint = true;           ///< "tracepoint"
  bool task_btf = false;            ///< "task-btf": bpf_get_current_task_btf. Added in 5.11: 3ca1032ab7ab
  bool socket_cookie = false;       ///< "socket-cookie": in tracing programs. Added in 5.12: c5dbb89fc2ac
  bool probe_read = true;           ///< "probe-read": bpf_probe_read_kernel; lockdown=confidentiality forbids it
  bool readers = true;              ///< "readers": programs that read the kernel's own lists are worth trying
  bool task_files = false;          ///< "task-files": programs may look at the files of processes (iter/task_file)
  bool memcg_charged = true;        ///< maps count against the memory cgroup and not RLIMIT_MEMLOCK. Since 5.11
  bool counts_at_creation = false;  ///< "counts-at-creation": TW and TWKilled count when a bucket is made. Since 5.18
  bool growing_maps = false;        ///< "growing-maps": hash maps may allocate in any context. Since 6.1: fba1a1c6c912
  bool ipv6_connect = false;        ///< inet6_hash_connect is in the kernel, and not in a module
  bool send_reset = false;          ///< programs can be attached to tcp_v4_send_reset and tcp_v6_send_reset
  bool reset_reason = false;       ///< "reset-reason": tcp:tcp_send_reset shows all resets. Added in 6.10: 19822a980e19
  std::uint32_t mib_overflow = 0;  ///< index of LINUX_MIB_TCPTIMEWAITOVERFLOW; 0 when unknown
  CounterPlaces counters{};        ///< of all counters that a reader program sums up
  std::uint32_t state_process_args = 3;  ///< of tcp_timewait_state_process: 3, 4 since 6.10, 5 since 6.16
};

/// Examines the kernel's BTF, or `btf_path` if it is not empty. kUnsupported if there is neither, kInvalid for an
/// unreadable file, kUsage for an unknown name in `switched_off`.
base::Result<Features> probe_features(const std::string& btf_path, const std::set<std::string>& switched_off);

}  // namespace twtrace::loader
