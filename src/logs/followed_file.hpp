// SPDX-License-Identifier: Apache-2.0
// Reads what is written to a file, across rotation.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"
#include "logs/line_splitter.hpp"
#include "model/logs.hpp"

namespace twtrace::logs {

using TakeLine = std::function<void(std::string_view line)>;

/// How far a file may be ahead before the rest is skipped.
inline constexpr std::uint64_t kMostAhead = std::uint64_t{32} << 20U;
/// A file that lost its name (rotated or removed) is still read until nothing was written to it for so long.
inline constexpr std::uint64_t kNamelessPatienceNs = 60'000'000'000;
/// So many of them at most.
inline constexpr std::size_t kMostNameless = 3;

/// A file known by its path. Whatever takes over the name is read from its beginning. A file that is cut short
/// (logrotate's copytruncate) is read from its beginning again; that is noticed by its size, and by the last bytes that
/// were read. What is written and cut off between two looks is lost, and so is a file that has the name only in
/// between.
///
/// A file that is followed under another name already is not read, whenever it gets this name: its lines would count
/// twice. That holds for as long as it has the name.
///
/// Reads regular files only. Follows symbolic links. Not thread-safe.
class FollowedFile {
 public:
  /// The name under which somebody else follows that file; null: nobody does.
  using Elsewhere = std::function<const std::string*(const struct stat& file)>;

  explicit FollowedFile(std::string path) : path_(std::move(path)) {}

  /// What is in the file now does not count. If a line has begun, only the rest of it does.
  void begin(const Elsewhere& elsewhere = {});
  /// Gives the lines that were written since the last look.
  void look(std::uint64_t monotonic_ns, const TakeLine& take, const Elsewhere& elsewhere = {});
  /// Gives last lines without an end, too.
  void finish(const TakeLine& take);

  const std::string& path() const { return path_; }
  /// Whether this is a file that it reads, whatever its name is now.
  bool follows(const struct stat& file) const;

  /// In words; empty if it can be read, or does not exist.
  std::string why_unreadable() const;
  model::LogGaps gaps() const;

 private:
  struct Opened {
    base::UniqueFd fd;
    dev_t device = 0;
    ino_t inode = 0;
    off_t offset = 0;
    std::string tail;  ///< the last bytes before the offset
    LineSplitter lines;
    std::uint64_t changed_ns = 0;  ///< last time that something was read

    bool is(const struct stat& file) const { return device == file.st_dev && inode == file.st_ino; }
  };

  bool open(const struct stat& named);
  void find_named(const Elsewhere& elsewhere);
  bool leave_to_other(const struct stat& named, const Elsewhere& elsewhere);
  void forget_other();
  bool has_changed_before_offset(const Opened& file) const;
  void read(Opened& file, std::uint64_t monotonic_ns, const TakeLine& take);
  void close_nameless(std::uint64_t monotonic_ns, const TakeLine& take);
  void close_oldest(const TakeLine& take);

  std::string path_;
  std::deque<Opened> files_;  ///< the one that has, or last had, the name comes last
  bool named_ = false;        ///< the last one has the name
  bool existed_ = false;
  int problem_ = 0;  ///< errno
  bool is_regular_ = true;
  std::string other_;        ///< who follows the file that has the name; empty: nobody else
  base::UniqueFd other_fd_;  ///< of that file, so that no later one gets its inode number
  dev_t other_device_ = 0;
  ino_t other_inode_ = 0;
  std::uint64_t long_lines_ = 0;  ///< of files that are closed
  std::uint64_t skipped_bytes_ = 0;
};

}  // namespace twtrace::logs
