// SPDX-License-Identifier: Apache-2.0
#include "capture/truncation.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <optional>
#include <utility>

namespace twtrace::capture {
namespace {

// https://sqlite.org/walformat.html: the index begins with its header, in which mxFrame says how many frames of the log
// are valid. A frame is a header and a page.
constexpr off_t kIndexSize = 32768;
constexpr off_t kMaxFrameOffset = 16;
constexpr off_t kIndexPageSizeOffset = 14;
constexpr off_t kLogHeader = 32;
constexpr off_t kFrameHeader = 24;

// NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables): a signal handler has only globals
std::atomic<std::uint64_t> g_hits{0};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
struct sigaction g_before {};
int g_guards = 0;
// NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables)

/// Uses only calls that a signal handler may make. mmap is a plain system call.
void on_sigbus(int number, siginfo_t* info, void* /*context*/) {
  const int saved_errno = errno;
  const auto size = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto page = reinterpret_cast<std::uintptr_t>(info->si_addr) & ~(size - 1);
  void* const wanted = reinterpret_cast<void*>(page);  // NOLINT(performance-no-int-to-ptr)
  const bool truncated = info->si_code == BUS_ADRERR;
  if (!truncated ||
      ::mmap(wanted, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != wanted) {
    ::sigaction(number, &g_before, nullptr);  // the access repeats, and has its normal effect
  } else {
    g_hits.fetch_add(1, std::memory_order_relaxed);
  }
  errno = saved_errno;
}

/// The size of the file, if it still has its name.
std::optional<off_t> size_of(const std::string& path, int fd) {
  struct stat named {};
  struct stat opened {};
  if (::lstat(path.c_str(), &named) != 0 || ::fstat(fd, &opened) != 0) return std::nullopt;
  return named.st_dev == opened.st_dev && named.st_ino == opened.st_ino ? std::optional(opened.st_size) : std::nullopt;
}

/// The length that the log must have according to its index. Only a commit changes it, after it has changed the log.
off_t length_by_index(int shm) {
  std::uint32_t frames = 0;
  std::uint16_t page_size = 0;
  if (::pread(shm, &frames, sizeof(frames), kMaxFrameOffset) != sizeof(frames)) return 0;
  if (::pread(shm, &page_size, sizeof(page_size), kIndexPageSizeOffset) != sizeof(page_size)) return 0;
  return frames == 0 ? 0 : kLogHeader + static_cast<off_t>(frames) * (kFrameHeader + page_size);
}

}  // namespace

TruncationGuard::TruncationGuard() {
  if (g_guards++ > 0) return;
  struct sigaction action {};
  action.sa_sigaction = on_sigbus;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGBUS, &action, &g_before);
}

TruncationGuard::~TruncationGuard() {
  if (--g_guards == 0) ::sigaction(SIGBUS, &g_before, nullptr);
}

std::uint64_t TruncationGuard::hits() { return g_hits.load(std::memory_order_relaxed); }

Companions::Companions(const std::string& path) {
  for (const auto& [file, suffix] : {std::pair(&wal_, "-wal"), std::pair(&shm_, "-shm")}) {
    file->path = path + suffix;
    file->descriptor.reset(::open(file->path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  }
}

Harm Companions::look() const {
  const auto wal = size_of(wal_.path, wal_.descriptor.get());
  const auto shm = size_of(shm_.path, shm_.descriptor.get());
  if (!wal) return Harm::kRemoved;
  if (!shm || *shm < kIndexSize) return Harm::kIndex;
  return *wal < length_by_index(shm_.descriptor.get()) ? Harm::kCut : Harm::kNone;
}

}  // namespace twtrace::capture
