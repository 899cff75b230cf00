// SPDX-License-Identifier: Apache-2.0
#include "logs/followed_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace twtrace::logs {
namespace {

constexpr std::size_t kBuffer = std::size_t{64} << 10U;
constexpr std::size_t kTail = 64;

/// Bytes of a file; errno stays set if they cannot be read.
ssize_t read_at(int fd, char* to, std::size_t size, off_t offset) {
  ssize_t got = 0;
  do {
    got = ::pread(fd, to, size, offset);
  } while (got < 0 && errno == EINTR);
  return got;
}

/// Where the next bytes are: a program that goes on writing where it was, after its file was cut short, leaves a hole.
off_t skip_hole(int fd, off_t offset, off_t size) {
  const off_t data = ::lseek(fd, offset, SEEK_DATA);
  if (data >= 0) return std::min(data, size);
  return errno == ENXIO ? size : offset;
}

}  // namespace

bool FollowedFile::follows(const struct stat& file) const {
  return std::any_of(files_.begin(), files_.end(), [&](const Opened& opened) { return opened.is(file); });
}

void FollowedFile::begin(const Elsewhere& elsewhere) {
  find_named(elsewhere);
  if (!named_) return;
  Opened& file = files_.back();
  struct stat now {};
  if (::fstat(file.fd.get(), &now) != 0) return;
  file.offset = now.st_size;
  const auto size = std::min<off_t>(now.st_size, kTail);
  file.tail.resize(static_cast<std::size_t>(size));
  const ssize_t got = read_at(file.fd.get(), file.tail.data(), file.tail.size(), now.st_size - size);
  if (got != size) file.tail.clear();
}

void FollowedFile::look(std::uint64_t monotonic_ns, const TakeLine& take, const Elsewhere& elsewhere) {
  for (Opened& file : files_) read(file, monotonic_ns, take);
  const std::size_t before = files_.size();
  find_named(elsewhere);
  if (files_.size() > before) {
    files_.back().changed_ns = monotonic_ns;
    read(files_.back(), monotonic_ns, take);
  }
  close_nameless(monotonic_ns, take);
}

void FollowedFile::finish(const TakeLine& take) {
  for (Opened& file : files_) {
    file.lines.finish(take);
    struct stat now {};
    if (::fstat(file.fd.get(), &now) != 0 || now.st_size <= file.offset) continue;
    skipped_bytes_ += static_cast<std::uint64_t>(now.st_size - file.offset);
  }
}

/// Makes the file that has the name the last one.
void FollowedFile::find_named(const Elsewhere& elsewhere) {
  struct stat found {};
  named_ = false;
  if (::stat(path_.c_str(), &found) != 0) {
    problem_ = errno;
    forget_other();
    return;
  }
  existed_ = true;
  problem_ = 0;
  is_regular_ = S_ISREG(found.st_mode);
  if (!is_regular_ || leave_to_other(found, elsewhere)) return;
  const auto known = std::find_if(files_.begin(), files_.end(), [&](const Opened& file) { return file.is(found); });
  if (known != files_.end()) std::rotate(known, known + 1, files_.end());
  named_ = known != files_.end() || open(found);
}

/// A file that somebody else has read is left alone even when that one has closed it.
bool FollowedFile::leave_to_other(const struct stat& named, const Elsewhere& elsewhere) {
  if (follows(named)) return false;
  if (!other_.empty() && (named.st_dev != other_device_ || named.st_ino != other_inode_)) forget_other();
  if (!other_.empty() || !elsewhere) return !other_.empty();
  const std::string* const other = elsewhere(named);
  if (other == nullptr) return false;
  other_ = *other;
  other_fd_.reset(::open(path_.c_str(), O_PATH | O_CLOEXEC));
  other_device_ = named.st_dev;
  other_inode_ = named.st_ino;
  return true;
}

void FollowedFile::forget_other() {
  other_.clear();
  other_fd_.reset();
}

/// False if it cannot be opened, or has lost the name meanwhile.
bool FollowedFile::open(const struct stat& named) {
  Opened file;
  file.fd.reset(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file.fd) {
    problem_ = errno;
    return false;
  }
  file.device = named.st_dev;
  file.inode = named.st_ino;
  struct stat opened {};
  if (::fstat(file.fd.get(), &opened) != 0 || !file.is(opened) || !S_ISREG(opened.st_mode)) return false;
  files_.push_back(std::move(file));
  return true;
}

/// True if the bytes that were read last are no longer there: it was cut short, and has grown beyond the offset since.
bool FollowedFile::has_changed_before_offset(const Opened& file) const {
  std::array<char, kTail> now{};
  const std::size_t size = file.tail.size();
  const ssize_t got = read_at(file.fd.get(), now.data(), size, file.offset - static_cast<off_t>(size));
  return got != static_cast<ssize_t>(size) || std::memcmp(now.data(), file.tail.data(), size) != 0;
}

void FollowedFile::read(Opened& file, std::uint64_t monotonic_ns, const TakeLine& take) {
  struct stat now {};
  if (::fstat(file.fd.get(), &now) != 0 || now.st_size == file.offset) return;
  if (now.st_size < file.offset || has_changed_before_offset(file)) {
    file.lines.finish(take);
    file.tail.clear();
    file.offset = 0;
  }
  file.changed_ns = monotonic_ns;
  const off_t data = skip_hole(file.fd.get(), file.offset, now.st_size);
  if (std::exchange(file.offset, data) != data) file.tail.clear();
  const auto ahead = static_cast<std::uint64_t>(now.st_size - file.offset);
  if (ahead > kMostAhead) {
    skipped_bytes_ += ahead - kMostAhead;
    file.offset = now.st_size - static_cast<off_t>(kMostAhead);
    file.lines.finish(take);
    file.tail.clear();
  }
  std::array<char, kBuffer> buffer{};
  for (std::uint64_t done = 0; done < kMostPerLook && file.offset < now.st_size;) {
    const ssize_t got = read_at(file.fd.get(), buffer.data(), buffer.size(), file.offset);
    if (got <= 0) return;
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
    file.lines.feed(bytes, take);
    file.offset += got;
    done += bytes.size();
    file.tail += bytes.substr(bytes.size() - std::min(bytes.size(), kTail));
    file.tail.erase(0, file.tail.size() - std::min(file.tail.size(), kTail));
  }
}

/// A file that nobody finds any more keeps its place on the disk while it is open here.
void FollowedFile::close_nameless(std::uint64_t monotonic_ns, const TakeLine& take) {
  const std::size_t with_name = named_ ? 1 : 0;
  while (files_.size() > with_name) {
    const bool idle = monotonic_ns - files_.front().changed_ns > kNamelessPatienceNs;
    if (!idle && files_.size() - with_name <= kMostNameless) return;
    close_oldest(take);
  }
}

void FollowedFile::close_oldest(const TakeLine& take) {
  files_.front().lines.finish(take);
  long_lines_ += files_.front().lines.long_lines();
  files_.pop_front();
}

std::string FollowedFile::why_unreadable() const {
  if (!is_regular_) return "it is not a regular file";
  if (!other_.empty()) return "it is the same file as " + other_ + ", where its lines count";
  return problem_ == 0 || problem_ == ENOENT ? std::string() : std::strerror(problem_);
}

model::LogGaps FollowedFile::gaps() const {
  model::LogGaps gaps{long_lines_, skipped_bytes_, {}};
  for (const Opened& file : files_) gaps.long_lines += file.lines.long_lines();
  gaps.problem = why_unreadable();
  if (gaps.problem.empty() && !existed_) gaps.problem = "it did not appear during the capture";
  return gaps;
}

}  // namespace twtrace::logs
