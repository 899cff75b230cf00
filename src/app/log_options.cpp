// SPDX-License-Identifier: Apache-2.0
#include "app/log_options.hpp"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "app/command_process.hpp"
#include "logs/followed_journal.hpp"
#include "logs/pattern.hpp"
#include "view/selector.hpp"

namespace twtrace::app {
namespace {

tl::unexpected<base::Error> wrong(std::string what, std::string hint) {
  return base::fail(base::ErrorCode::kUsage, std::move(what), std::move(hint));
}

bool exists(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0;
}

/// Where the name ends.
std::size_t name_end(const std::string& typed, const std::function<bool(const std::string&)>& is_there) {
  if (is_there(typed)) return typed.size();
  for (std::size_t end = typed.rfind('='); end != std::string::npos && end > 0; end = typed.rfind('=', end - 1)) {
    if (is_there(typed.substr(0, end))) return end;
  }
  return std::min(typed.find('='), typed.size());
}

/// Files that the kernel makes up when they are read: their size says nothing, so nothing would be found in them.
bool is_made_up(const std::string& path) {
  struct statfs found {};
  if (::statfs(path.c_str(), &found) != 0) return false;
  const auto type = static_cast<std::uint32_t>(found.f_type);
  return type == PROC_SUPER_MAGIC || type == SYSFS_MAGIC || type == TRACEFS_MAGIC || type == DEBUGFS_MAGIC ||
         type == CGROUP_SUPER_MAGIC || type == CGROUP2_SUPER_MAGIC;
}

const char* kind_words(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a FIFO";
  return S_ISSOCK(mode) ? "a socket" : "a device";
}

/// A file that does not exist is waited for.
base::Result<void> check_file(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return {};
    return wrong(fmt::format("--log: {}: {}", path, std::strerror(errno)), "name a file that this user may read");
  }
  if (!S_ISREG(found.st_mode)) {
    return wrong(fmt::format("--log: {} is {}", path, kind_words(found.st_mode)), "name a regular file");
  }
  if (is_made_up(path)) {
    return wrong(fmt::format("--log: {} is a file of the kernel, not one that grows", path), "name a regular file");
  }
  // With the real ids: a user to whom somebody lent capabilities reads as that user.
  if (::access(path.c_str(), R_OK) == 0) return {};
  return wrong(fmt::format("--log: {}: {}", path, std::strerror(errno)), "name a file that this user may read");
}

bool same(const model::Log& left, const model::Log& right) {
  if (left.kind != right.kind) return false;
  struct stat one {};
  struct stat other {};
  const bool files = left.kind == model::Log::Kind::kFile && ::stat(left.name.c_str(), &one) == 0 &&
                     ::stat(right.name.c_str(), &other) == 0;
  return left.name == right.name || (files && one.st_dev == other.st_dev && one.st_ino == other.st_ino);
}

base::Result<void> check_different(const std::vector<model::Log>& logs) {
  for (auto log = logs.begin(); log != logs.end(); ++log) {
    const bool before = std::any_of(logs.begin(), log, [&](const model::Log& other) { return same(other, *log); });
    if (before) {
      return wrong(log->name + " is given twice, so its lines would count twice",
                   "join the patterns: --log 'FILE=ONE|OTHER'");
    }
  }
  return {};
}

}  // namespace

base::Result<model::Log> parse_log(model::Log::Kind kind, const std::string& typed,
                                   const std::function<bool(const std::string& name)>& is_there) {
  const std::size_t end = name_end(typed, is_there);
  model::Log log{kind, typed.substr(0, end), logs::kDefaultPattern, {}};
  if (log.name.empty()) return wrong(fmt::format("\"{}\" has no name", typed), "put one in front of the =");
  if (log.name.size() > model::kLongestLogName) {
    return wrong(fmt::format("a name of {} bytes is too long", log.name.size()),
                 fmt::format("a log has a name of at most {} bytes", model::kLongestLogName));
  }
  if (auto clean = view::check_blanks(log.name); !clean && !is_there(log.name)) return tl::unexpected(clean.error());
  if (end < typed.size()) log.pattern = typed.substr(end + 1);
  if (log.pattern.empty()) {
    return wrong(fmt::format("no pattern follows {}=", log.name), "leave the = out for the default pattern");
  }
  if (auto usable = logs::Pattern::compile(log.pattern); !usable) return tl::unexpected(usable.error());
  return log;
}

void LogOptions::declare(OptionList& list) {
  using Kind = model::Log::Kind;
  list.section("Application errors");
  const auto take = [this](Kind kind, auto is_there) {
    return [this, kind, is_there](const std::string& typed) -> base::Result<void> {
      auto log = parse_log(kind, typed, is_there);
      if (!log) return tl::unexpected(log.error());
      logs.push_back(std::move(*log));
      return {};
    };
  };
  Take file(take(Kind::kFile, exists));
  file.is_file = true;
  list.option("--log", "FILE[=REGEX]", "count matching lines of FILE, next to the resets", std::move(file));
  list.option("--journal", "UNIT[=REGEX]", "the same for what a unit writes to the journal",
              take(Kind::kJournal, [](const std::string&) { return false; }));
  list.check([this] { return check(); });
}

base::Result<void> LogOptions::check() const {
  if (logs.size() > model::kMostLogs) {
    return wrong(fmt::format("{} logs are too many", logs.size()),
                 fmt::format("give --log and --journal at most {} times", model::kMostLogs));
  }
  if (auto different = check_different(logs); !different) return tl::unexpected(different.error());
  bool journal = false;
  for (const model::Log& log : logs) {
    journal = journal || log.kind == model::Log::Kind::kJournal;
    if (log.kind != model::Log::Kind::kFile) continue;
    if (auto usable = check_file(log.name); !usable) return tl::unexpected(usable.error());
  }
  if (!journal || find_command(logs::kJournalctl)) return {};
  return wrong("--journal needs journalctl, which is not in PATH", "follow a file instead: --log FILE");
}

base::Result<void> LogOptions::check_not_of_capture(const std::string& capture) const {
  std::error_code ignored;
  const std::string written = std::filesystem::weakly_canonical(capture, ignored).string();
  for (const model::Log& log : logs) {
    if (log.kind != model::Log::Kind::kFile) continue;
    std::string name = std::filesystem::weakly_canonical(log.name, ignored).string();
    if (written.empty() || !name.starts_with(written)) continue;
    name.erase(0, written.size());
    if (name.starts_with(".new")) name.erase(0, std::string_view(".new").size());
    if (name.empty() || name == "-wal" || name == "-shm" || name == "-journal") {
      return wrong(fmt::format("--log: {} is written by this capture itself", log.name),
                   "write the capture to another file: -o FILE");
    }
  }
  return {};
}

}  // namespace twtrace::app
