// SPDX-License-Identifier: Apache-2.0
#include "capture/locks.hpp"

#include <fcntl.h>

#include <cerrno>

#include "base/unique_fd.hpp"

namespace twtrace::capture {
namespace {

// Every connection to a database in WAL mode holds a shared lock on these bytes. See
// https://sqlite.org/fileformat2.html, "Lock-Byte Page". No database has content there.
constexpr off_t kSharedFirst = 0x40000002;
constexpr off_t kSharedSize = 510;
constexpr off_t kWriterByte = kSharedFirst + kSharedSize;

struct flock write_lock(off_t first, off_t size) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = first;
  lock.l_len = size;
  return lock;
}

}  // namespace

base::Result<bool> lock_for_writing(int fd) {
  struct flock lock = write_lock(kWriterByte, 1);
  if (::fcntl(fd, F_OFD_SETLK, &lock) == 0) return true;
  const int saved_errno = errno;
  if (saved_errno == EAGAIN || saved_errno == EACCES) return false;
  return base::fail_errno(saved_errno, "cannot be locked", "write to a local file system");
}

bool is_written(int fd) {
  struct flock lock = write_lock(kWriterByte, 1);
  return ::fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

bool is_open_elsewhere(int fd) {
  struct flock lock = write_lock(kSharedFirst, kSharedSize);
  return ::fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

bool is_reserved(const std::string& path) {
  const std::string name = path + std::string(kNew);
  const base::UniqueFd file(::open(name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  return file && is_written(file.get());
}

}  // namespace twtrace::capture
