// SPDX-License-Identifier: Apache-2.0
#include "logs/log_reader.hpp"

#include <linux/capability.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <iterator>
#include <optional>
#include <utility>
#include <variant>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "kernel/capabilities.hpp"
#include "kernel/procfs.hpp"
#include "logs/followed_file.hpp"
#include "logs/followed_journal.hpp"
#include "logs/matches.hpp"
#include "logs/pattern.hpp"
#include "trace/least_privilege.hpp"

namespace twtrace::logs {

using std::chrono::milliseconds;

namespace {

constexpr const char* kReaderComm = "twtrace-logs";
constexpr const char* kBegin = "begin";
constexpr const char* kLook = "look";
constexpr const char* kFinish = "finish";
constexpr int kLookMs = 100;
constexpr milliseconds kMostWait{2000};
constexpr const char* kHangs = "the process that reads logs does not answer";
constexpr const char* kWhatHangs = "does a file system with a log hang?";
/// journald tells of what it wrote up to 250 ms later (POST_CHANGE_TIMER_INTERVAL_USEC, journald-server.c).
constexpr milliseconds kJournalDelay{400};

/// One log in the process that reads.
struct Followed {
  Pattern pattern;
  std::variant<FollowedFile, FollowedJournal> source;
};

/// All logs in the process that reads.
class Reading {
 public:
  explicit Reading(std::vector<Followed> logs) : logs_(std::move(logs)) {}

  /// One field per log: why it cannot be read, or nothing.
  base::Fields begin() {
    base::Fields problems;
    begun_ = true;
    for (Followed& log : logs_) {
      std::string& problem = problems.emplace_back();
      if (auto* const file = std::get_if<FollowedFile>(&log.source)) {
        file->begin(elsewhere(*file));
        problem = file->why_unreadable();
      } else {
        std::get<FollowedJournal>(log.source).begin(clock_.unix_ms());
      }
    }
    return problems;
  }

  void look() {
    if (!begun_) return;
    const std::int64_t now = clock_.unix_ms();
    for (std::size_t i = 0; i < logs_.size(); ++i) {
      if (auto* const file = std::get_if<FollowedFile>(&logs_[i].source)) {
        file->look(clock_.monotonic_ns(), taker(i, now), elsewhere(*file));
      } else {
        std::get<FollowedJournal>(logs_[i].source).look(dated_taker(i));
      }
    }
  }

  void finish() {
    const auto end = std::chrono::steady_clock::now() + kJournalDelay;
    for (std::size_t i = 0; begun_ && i < logs_.size(); ++i) {
      auto* const journal = std::get_if<FollowedJournal>(&logs_[i].source);
      if (journal != nullptr) journal->look_until(end, dated_taker(i));
    }
    look();
    const std::int64_t now = clock_.unix_ms();
    for (std::size_t i = 0; i < logs_.size(); ++i) {
      if (auto* const file = std::get_if<FollowedFile>(&logs_[i].source)) file->finish(taker(i, now));
    }
  }

  Found found() {
    Found found{matches_.take(), {}};
    for (const Followed& log : logs_) {
      found.gaps.push_back(std::visit([](const auto& source) { return source.gaps(); }, log.source));
    }
    return found;
  }

 private:
  TakeDatedLine dated_taker(std::size_t log) {
    return [this, log](std::int64_t time_unix_ms, std::string_view line) {
      if (logs_[log].pattern.matches(line)) matches_.add(log, time_unix_ms, line);
    };
  }

  /// Two names may become those of one file at any time: links, and the names that a rotation gives.
  FollowedFile::Elsewhere elsewhere(const FollowedFile& own) const {
    return [this, &own](const struct stat& found) -> const std::string* {
      for (const Followed& log : logs_) {
        const auto* const file = std::get_if<FollowedFile>(&log.source);
        if (file != nullptr && file != &own && file->follows(found)) return &file->path();
      }
      return nullptr;
    };
  }

  TakeLine taker(std::size_t log, std::int64_t now_unix_ms) {
    return [take = dated_taker(log), now_unix_ms](std::string_view line) { take(now_unix_ms, line); };
  }

  base::SystemClock clock_;
  std::vector<Followed> logs_;
  Matches matches_;
  bool begun_ = false;
};

/// Empty if something cannot be started.
std::optional<std::vector<Followed>> follow(const std::vector<model::Log>& logs, int error_fd) {
  std::vector<Followed> all;
  for (const model::Log& log : logs) {
    auto pattern = Pattern::compile(log.pattern);
    if (!pattern) return std::nullopt;
    if (log.kind == model::Log::Kind::kFile) {
      all.push_back({std::move(*pattern), FollowedFile(log.name)});
      continue;
    }
    auto journal = FollowedJournal::start(log.name, error_fd);
    if (!journal) return std::nullopt;
    all.push_back({std::move(*pattern), std::move(*journal)});
  }
  return all;
}

/// Only root's right to read everything is kept: a user to whom somebody lent capabilities reads as that user.
trace::Reduction reading_logs() {
  trace::Reduction reduction;
  const auto held = kernel::effective_capabilities(kernel::Procfs());
  if (::getuid() != 0 || ::geteuid() != 0 || !held || !held->has(CAP_DAC_READ_SEARCH)) return reduction;
  reduction.account = trace::nobody();
  reduction.duties = {trace::Duty::kReadLogs};
  return reduction;
}

/// Answers until the other process is gone. Looks at the logs in between.
void answer(Reading& reading, int socket) {
  while (true) {
    pollfd asked{socket, POLLIN, 0};
    const int ready = ::poll(&asked, 1, kLookMs);
    if (ready < 0 && errno != EINTR) return;
    if (ready <= 0) {
      reading.look();
      continue;
    }
    const auto question = base::receive_fields(socket);
    if (!question || question->size() != 1) return;
    base::Fields said;
    if (question->front() == kBegin) {
      said = reading.begin();
    } else {
      question->front() == kFinish ? reading.finish() : reading.look();
      said = fields_of(reading.found());
    }
    if (!base::send_fields(socket, said)) return;
  }
}

}  // namespace

base::Result<std::unique_ptr<LogReader>> LogReader::start(const std::vector<model::Log>& logs) {
  auto process = trace::HelperProcess::start(kReaderComm, [&](int socket, pid_t parent) {
    constexpr int kError = trace::kFirstKept + 1;
    if (!trace::keep_descriptors(std::array{socket, STDERR_FILENO})) return;
    auto followed = follow(logs, kError);
    ::close(kError);
    if (!followed || !trace::reduce_privileges(reading_logs()) || !trace::end_with(parent)) return;
    Reading reading(std::move(*followed));
    answer(reading, trace::kFirstKept);
  });
  if (!process) return tl::unexpected(process.error());
  return std::unique_ptr<LogReader>(new LogReader(std::move(*process), logs));
}

base::Result<void> LogReader::begin() {
  process_.ask({kBegin});
  const auto problems = process_.answer(kMostWait);
  if (process_.owes_answer()) return base::fail(base::ErrorCode::kFailure, kHangs, kWhatHangs);
  if (!problems || problems->size() != logs_.size()) {
    return base::fail(base::ErrorCode::kFailure, "the process that reads logs could not start");
  }
  for (std::size_t i = 0; i < logs_.size(); ++i) {
    if (const std::string& why = (*problems)[i]; !why.empty()) {
      return base::fail(base::ErrorCode::kUsage, "--log: cannot read " + logs_[i].name + ": " + why,
                        "name a file that this user may read");
    }
  }
  return {};
}

base::Result<Found> LogReader::look() {
  const bool was_late = process_.owes_answer();
  process_.ask({kLook});
  auto found = take_answer(was_late ? milliseconds(0) : kMostWait / 2);
  if (!found) return tl::unexpected(found.error());
  if (*found) return std::move(**found);
  if (was_late && !std::exchange(told_late_, true)) {
    spdlog::warn("{}: its lines are counted once it does, in the interval of that time; {}", kHangs, kWhatHangs);
  }
  return Found{{}, gaps_};
}

base::Result<Found> LogReader::finish() {
  const auto end = std::chrono::steady_clock::now() + kMostWait;
  Found all;
  while (true) {
    const bool was_late = process_.owes_answer();
    process_.ask({kFinish});
    auto found = take_answer(base::time_left(end));
    if (!found) return tl::unexpected(found.error());
    if (!*found)
      return base::fail(base::ErrorCode::kFailure, std::string(kHangs) + ": its last lines are not counted",
                        kWhatHangs);
    std::move((*found)->lines.begin(), (*found)->lines.end(), std::back_inserter(all.lines));
    if (was_late) continue;  // that was the answer to an earlier question
    all.gaps = std::move((*found)->gaps);
    return all;
  }
}

/// Of the last question. Empty: it still owes it.
base::Result<std::optional<Found>> LogReader::take_answer(milliseconds patience) {
  const auto fields = process_.answer(patience);
  if (process_.owes_answer()) return std::nullopt;
  auto found = fields ? found_of(*fields, logs_.size()) : std::nullopt;
  if (!found) {
    return base::fail(base::ErrorCode::kFailure,
                      "the process that reads logs has ended: no line is counted from here on");
  }
  gaps_ = found->gaps;
  return found;
}

}  // namespace twtrace::logs
