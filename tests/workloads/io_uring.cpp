// SPDX-License-Identifier: Apache-2.0
#include "io_uring.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "tcp.hpp"

namespace twtrace::workload {
namespace {

constexpr unsigned kEntries = 4;

char* map_ring(int fd, std::size_t size, off_t what) {
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, what);
  if (memory == MAP_FAILED) die("mmap of an io_uring");
  return static_cast<char*>(memory);
}

// The rings are shared with the kernel. We read its index before the entries, and write ours after them.
std::uint32_t load(const char* ring, std::uint32_t offset) {
  return __atomic_load_n(reinterpret_cast<const std::uint32_t*>(ring + offset), __ATOMIC_ACQUIRE);
}

std::uint32_t* word(char* ring, std::size_t offset) { return reinterpret_cast<std::uint32_t*>(ring + offset); }

void store(std::uint32_t* where, std::uint32_t value) { __atomic_store_n(where, value, __ATOMIC_RELEASE); }

}  // namespace

IoUring::IoUring() : fd_(static_cast<int>(syscall(SYS_io_uring_setup, kEntries, &parameters_))) {
  if (fd_ < 0) die("io_uring_setup");
  const io_sqring_offsets& sq = parameters_.sq_off;
  const io_cqring_offsets& cq = parameters_.cq_off;
  submissions_ = map_ring(fd_, sq.array + parameters_.sq_entries * sizeof(std::uint32_t), IORING_OFF_SQ_RING);
  completions_ = map_ring(fd_, cq.cqes + parameters_.cq_entries * sizeof(io_uring_cqe), IORING_OFF_CQ_RING);
  entries_ = reinterpret_cast<io_uring_sqe*>(
      map_ring(fd_, parameters_.sq_entries * sizeof(io_uring_sqe), static_cast<off_t>(IORING_OFF_SQES)));
}

void IoUring::submit_and_wait() {
  const io_sqring_offsets& sq = parameters_.sq_off;
  const io_cqring_offsets& cq = parameters_.cq_off;
  const std::uint32_t tail = load(submissions_, sq.tail);
  const std::uint32_t slot = tail & load(submissions_, sq.ring_mask);
  *word(submissions_, sq.array + slot * sizeof(std::uint32_t)) = 0;  // always the first entry
  store(word(submissions_, sq.tail), tail + 1);
  long done = 0;
  do {
    done = syscall(SYS_io_uring_enter, fd_, 1, 1, IORING_ENTER_GETEVENTS, nullptr, 0);
  } while (done < 0 && errno == EINTR);
  if (done != 1) die("io_uring_enter");
  const std::uint32_t head = load(completions_, cq.head);
  if (head == load(completions_, cq.tail)) die("io_uring_enter came back with no completion");
  const auto* results = reinterpret_cast<const io_uring_cqe*>(completions_ + cq.cqes);
  const int result = results[head & load(completions_, cq.ring_mask)].res;
  store(word(completions_, cq.head), head + 1);
  errno = -result;
  if (result < 0) die("io_uring operation");
}

void IoUring::close(int fd, bool worker) {
  entries_[0] = {};
  entries_[0].opcode = IORING_OP_CLOSE;
  entries_[0].flags = worker ? IOSQE_ASYNC : 0;
  entries_[0].fd = fd;
  submit_and_wait();
}

void IoUring::hold(const std::vector<int>& fds) {
  if (syscall(SYS_io_uring_register, fd_, IORING_REGISTER_FILES, fds.data(), fds.size()) != 0) die("io_uring_register");
}

}  // namespace twtrace::workload
