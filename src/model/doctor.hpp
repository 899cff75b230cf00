// SPDX-License-Identifier: Apache-2.0
// What `twtrace doctor` found out about a host. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/net_settings.hpp"
#include "model/snapshot.hpp"

namespace twtrace::model {

/// One yes-or-no question about the host.
struct DoctorCheck {
  std::string name;    ///< "fentry", "task-btf", "CAP_BPF"
  bool ok = false;     ///< the backend works, or the feature or privilege is there
  std::string detail;  ///< why not, or what its absence costs; may be empty
};

/// One network namespace with its settings. Empty values could not be read.
struct DoctorNetns : base::NetSettings {
  std::uint32_t netns = 0;           ///< inode number
  std::string name;                  ///< "host", an `ip netns` name, or empty; any bytes
  bool host = false;                 ///< the namespace of pid 1
  std::optional<std::uint32_t> pid;  ///< a process in it
  std::string path;                  ///< a file that leads into it
  std::optional<std::uint64_t> in_use;
  std::optional<std::uint64_t> overflow;       ///< TCPTimeWaitOverflow since the namespace was made
  std::optional<std::uint32_t> netns_id = {};  ///< NetnsRow::id, of a namespace in a capture
};

/// A setting of this host that makes the TIME_WAIT table overflow, or that does not do what people expect.
struct DoctorWarning {
  std::string id;                              ///< stable: "overflow-seen", "limit-low", ...
  std::optional<std::uint32_t> netns;          ///< inode number; empty when it is about several
  std::string text;                            ///< one or two sentences
  std::string change;                          ///< the exact change; twtrace never makes it
  std::optional<std::uint32_t> netns_id = {};  ///< DoctorNetns::netns_id of that namespace
};

struct DoctorReport {
  HostInfo host;
  std::string btf;  ///< where the kernel's types come from; empty when it has none
  std::vector<DoctorCheck> backends;
  std::string backend;  ///< the one that `twtrace` will use; empty when none works
  std::vector<DoctorCheck> features;
  std::vector<DoctorCheck> capabilities;
  std::string lockdown;          ///< "none", "integrity", "confidentiality"; empty when it cannot be read
  std::string cgroup_hierarchy;  ///< "v2", "v1 name=systemd"; empty when none is usable
  std::string cgroup_mount;
  std::optional<bool> bpf_stats_enabled;
  std::vector<DoctorNetns> namespaces;  ///< worst first
  std::vector<DoctorWarning> warnings;
};

/// Percent of the limit in use, truncated: 100 means full. Empty when either is unknown, or the limit is 0.
std::optional<std::uint64_t> percent_full(const DoctorNetns& netns);

/// Orders nearly full tables first, then by refusals, then by how full they are, then by inode number.
void sort_worst_first(std::vector<DoctorNetns>& namespaces);

}  // namespace twtrace::model
