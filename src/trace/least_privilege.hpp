// SPDX-License-Identifier: Apache-2.0
// Drops the privileges that a process does not need any more once it has started.
#pragma once

#include <sys/types.h>

#include <optional>
#include <set>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "kernel/capabilities.hpp"
#include "trace/call_filter.hpp"

namespace twtrace::trace {

/// What a process still does after its start that the kernel grants only with a capability.
enum class Duty {
  kWatch,           ///< look up names of namespaces, cgroups and containers: the NameHelper's alone
  kReadMaps,        ///< read BPF maps, on kernels that ask for a capability: see maps_need_capability()
  kPassSignals,     ///< send signals to a command of another user
  kReadForOthers,   ///< read captures of another user
  kReadLogs,        ///< read logs of another user: logs::LogReader's alone
  kWriteForOthers,  ///< write files of another user
};

/// A capability that stays for a duty.
struct KeptCapability {
  Duty duty;
  unsigned number;     ///< as in linux/capability.h
  const char* reason;  ///< completes "kept after the start, to ..."
};

/// The one list of what stays. What is not in it is dropped by every command.
std::span<const KeptCapability> kept_capabilities();

/// The capabilities of `held` that stay for these duties; CAP_SYS_ADMIN if it is all there is in place of CAP_BPF.
/// Pure.
kernel::CapabilitySet keep_for(const std::set<Duty>& duties, const kernel::CapabilitySet& held);

/// Ids of a user, looked up beforehand.
struct Account {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};

/// The user "nobody", 65534 when the user database has none.
Account nobody();

/// How a process goes on after its start.
struct Reduction {
  std::optional<Account> account;  ///< to become; empty: the user stays
  std::set<Duty> duties;
  Network network = Network::kNone;
};

/// Whether bpf(2) refuses to work on maps and programs that are open already without CAP_BPF: before 5.19 with
/// kernel.unprivileged_bpf_disabled set (c8644cd0efe7). Tries it, with the calling thread's capabilities lowered for
/// the moment.
bool maps_need_capability();

/// Becomes the account, drops every capability but those of the duties, sets no_new_privs, and filters system calls
/// (call_filter.hpp). None of this can be undone. The user stays in a user namespace that does not map the account,
/// and without CAP_SETUID and CAP_SETGID.
/// kPermission if a capability is left that should be gone; the process must end then. Call it while there is only one
/// thread.
base::Result<void> reduce_privileges(const Reduction& reduction);

/// The same without the filter, for a process that is going to execute a program. The program gets no capability that
/// is not kept, not even as root.
base::Result<void> drop_all_but(const Reduction& reduction);

}  // namespace twtrace::trace
