// SPDX-License-Identifier: Apache-2.0
// Which privileges this process has (capabilities(7)). Capabilities are checked, never the uid.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "kernel/procfs.hpp"

namespace twtrace::kernel {

/// A set of capabilities; numbers are those of linux/capability.h (CAP_BPF is 39).
struct CapabilitySet {
  std::uint64_t bits = 0;

  bool has(unsigned capability) const { return capability < 64 && ((bits >> capability) & 1U) != 0; }
  /// The capabilities in `wanted` that the set lacks, in the given order.
  std::vector<unsigned> missing(std::span<const unsigned> wanted) const;
  bool operator==(const CapabilitySet&) const = default;
};

/// The capabilities that loading tracing programs needs and `effective` lacks. CAP_BPF and CAP_PERFMON are needed;
/// CAP_SYS_ADMIN includes both (bpf_capable and perfmon_capable of linux/capability.h, 5.8). CAP_SYS_RESOURCE is
/// needed, too, if RLIMIT_MEMLOCK must be raised for the maps. CAP_SYS_ADMIN does not include it.
std::vector<unsigned> missing_for_tracing(const CapabilitySet& effective, bool raises_memlock);

/// Parses the CapEff line of /proc/PID/status.
base::Result<CapabilitySet> parse_effective_capabilities(std::string_view status_text);
/// The same of the CapBnd line: what executing a program can grant at most, by whatever user.
base::Result<CapabilitySet> parse_bounding_capabilities(std::string_view status_text);

/// The effective set of the calling thread.
base::Result<CapabilitySet> effective_capabilities(const Procfs& procfs);

/// The bounding set of the calling thread.
base::Result<CapabilitySet> bounding_capabilities(const Procfs& procfs);

/// Whether the capabilities of this process count for BPF: only those of the first user namespace do. True if /proc
/// does not tell.
bool in_first_user_namespace(const Procfs& procfs);

/// "CAP_BPF"; "CAP_63" for a number that has no name yet.
std::string capability_name(unsigned capability);

}  // namespace twtrace::kernel
