// SPDX-License-Identifier: Apache-2.0
// Looking through the files of all processes for sockets.
#pragma once

#include "base/result.hpp"
#include "loader/libbpf_ptr.hpp"

struct twtrace_bpf;

namespace twtrace::loader {

/// Owns the iterator that tells the kernel side which processes have the sockets that it asks about: those of
/// listener_rows and of felt_resets. The skeleton has to outlive it. Not thread-safe.
class SocketFiles {
 public:
  explicit SocketFiles(twtrace_bpf& skeleton) : skeleton_(&skeleton) {}

  /// Call it once, before the others. kUnsupported if the kernel cannot iterate over the files of processes.
  base::Result<void> attach();

  /// Looks through the files of every process that this process's pid namespace shows: some 100 ns for each.
  base::Result<void> look_through() const;

  /// Lets tasks go on that are closing a socket. Such a task has first taken it from its descriptors (close_fd), and
  /// may be preempted in between: then no process seems to have the socket. Sleeps for 5 ms.
  static void let_tasks_close();

 private:
  twtrace_bpf* skeleton_;
  LinkPtr link_;
};

}  // namespace twtrace::loader
