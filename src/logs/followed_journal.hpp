// SPDX-License-Identifier: Apache-2.0
// Reads what a unit writes to the journal, by way of journalctl.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "logs/journal_entries.hpp"
#include "model/logs.hpp"

namespace twtrace::logs {

/// Looked up in PATH.
inline constexpr const char* kJournalctl = "journalctl";

/// Whether there is a file of the journal that this process may read (systemd-journald.service(8)). Without one,
/// `journalctl --follow --quiet` waits and says nothing. `root`: a test can replace it.
bool finds_journal(const std::string& root = {});

/// The argument of journalctl for what the processes of a unit write: `_SYSTEMD_UNIT=web.service` for "web" and
/// "web.service". `--unit=` also finds what systemd itself says of the unit: its description, which for a transient
/// unit is the command line, and its time-outs. That is no error of the application. A pattern, a slice and a name that
/// journalctl would translate (a path, a character that units escape) are left to `--unit=`. Pure.
std::string journal_match(const std::string& unit);

/// A child `journalctl --follow` for a unit without a capability. Of root's it is nobody, in the group that may read
/// the journal. The kernel kills it when this process ends. Move-only. Not thread-safe.
class FollowedJournal {
 public:
  /// Forks while this process still has its privileges. The child waits until begin(). Its errors go to `error_fd`.
  static base::Result<FollowedJournal> start(const std::string& unit, int error_fd);
  FollowedJournal(FollowedJournal&& other) noexcept
      : go_(std::move(other.go_)), output_(std::move(other.output_)), pid_(std::exchange(other.pid_, -1)) {}
  FollowedJournal& operator=(FollowedJournal&&) = delete;
  /// Kills the child and reaps it.
  ~FollowedJournal();

  /// What is written to the journal from this moment on counts.
  void begin(std::int64_t since_unix_ms);
  /// Gives the lines that came since the last look. A message of several lines is several.
  void look(const TakeDatedLine& take);
  /// Gives the lines that come until then, too.
  void look_until(std::chrono::steady_clock::time_point end, const TakeDatedLine& take);

  model::LogGaps gaps() const;

 private:
  FollowedJournal(base::UniqueFd go, base::UniqueFd output, pid_t pid)
      : go_(std::move(go)), output_(std::move(output)), pid_(pid) {}

  base::UniqueFd go_;
  base::UniqueFd output_;  ///< until the child has ended
  pid_t pid_;
  JournalEntries entries_;
  bool has_entries_ = false;  ///< of the unit
};

}  // namespace twtrace::logs
