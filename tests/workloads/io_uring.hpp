// SPDX-License-Identifier: Apache-2.0
// As much of io_uring as the workloads need, by its system calls: no library, because this program also runs in the
// machines of vmtests/.
#pragma once

#include <linux/io_uring.h>

#include <vector>

namespace twtrace::workload {

/// A ring for one operation at a time. A failure ends the process (see tcp.hpp). The kernel keeps the ring, and the
/// files that were registered with it, until this process ends.
class IoUring {
 public:
  IoUring();
  IoUring(const IoUring&) = delete;
  IoUring& operator=(const IoUring&) = delete;

  /// Closes a descriptor with IORING_OP_CLOSE and waits for the result. `worker`: in a thread of the kernel's pool.
  void close(int fd, bool worker);
  /// Registers descriptors: the ring holds the files then, whether the descriptors are closed or not.
  void hold(const std::vector<int>& fds);

 private:
  void submit_and_wait();

  io_uring_params parameters_{};  ///< before fd_, which comes from a call that fills it
  int fd_ = -1;
  char* submissions_ = nullptr;
  char* completions_ = nullptr;
  io_uring_sqe* entries_ = nullptr;
};

}  // namespace twtrace::workload
