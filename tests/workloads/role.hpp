// SPDX-License-Identifier: Apache-2.0
// The processes of a workload, and how they take turns.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <string>

#include "options.hpp"

namespace twtrace::workload {

/// Memory shared by all processes of a workload: who turned out to own the connections.
struct Shared {
  static constexpr int kMaxOwners = 4096;
  std::atomic<int> arrived{0};      ///< barrier of the mode `simultaneous`
  std::atomic<int> owner_count{0};  ///< owners that are neither the server nor the client process
  pid_t owners[kMaxOwners] = {};
};

/// Maps Shared, zeroed, visible to all children.
Shared& map_shared();

/// One end of a byte channel between two processes. No TCP: it must not show up in any counter.
class Link {
 public:
  explicit Link(int fd) : fd_(fd) {}
  void tell() const;  ///< lets the other end's wait() return
  void wait() const;

 private:
  int fd_;
};

/// What a role function gets.
struct Context {
  const Options& options;
  Link link;
  Shared& shared;
};

using RoleFunction = void (*)(Context&);

/// Where and as whom a role process runs.
struct RoleIdentity {
  const char* comm;
  const std::string& cgroup;
  int uid;
};

/// Names this process, joins the cgroup, takes the uid, pins the CPU. Before any socket is opened: a socket keeps the
/// uid and cgroup it was created with.
void become(const RoleIdentity& identity, int cpu);

/// Forks a role process; it exits with code 0 when `function` returns. It closes `foreign_end`, the other process's end
/// of the link, so that it notices when the other process ends early.
pid_t fork_role(const RoleIdentity& identity, RoleFunction function, Context& context, int foreign_end);

/// Waits for a process; true when it exited with 0, or was killed by `signal` where that is expected.
bool wait_for(pid_t pid, int signal = 0);

/// Forks a child of a role process and names it. Returns 0 in the child.
pid_t fork_other(const char* comm);

/// The same for one that is recorded as an owner.
pid_t fork_owner(Context& context, const char* comm);

}  // namespace twtrace::workload
