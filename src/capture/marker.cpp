// SPDX-License-Identifier: Apache-2.0
#include "capture/marker.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "base/escape.hpp"
#include "capture/fitting.hpp"
#include "capture/limits.hpp"
#include "capture/locks.hpp"
#include "capture/open.hpp"

namespace twtrace::capture {
namespace {

constexpr std::chrono::milliseconds kMarkPoll(20);

base::Error not_running(const std::string& path) {
  const auto opened = open_for_reading(path);
  if (!opened) return opened.error();
  const auto cut = opened->database.number("SELECT ended_unix_ms IS NULL FROM capture");
  if (!cut) return cut.error();
  return {base::ErrorCode::kFailure, 0,
          path + (*cut != 0 ? ": the capture was cut short, and nobody writes it any more" : ": the capture has ended"),
          "mark a moment while twtrace capture runs; -o names its file"};
}

/// Why there is nothing to mark. A capture that runs has reserved its file. It is its owner's alone, and a mark is
/// written into it.
base::Error not_there(base::Error error, const std::string& path) {
  if (error.sys_errno == ENOENT) {
    error.what = "no capture is writing " + path;
    error.hint = "name the running capture's file with -o FILE";
  }
  if (error.sys_errno == EACCES) {
    error.hint = "only the user of the capture and root can mark it: run twtrace mark -o " + base::shell_word(path) +
                 " NAME as one of them, beside the command that runs as another user";
  }
  return error;
}

base::Result<void> await_file(const std::string& path) {
  while (true) {
    const bool reserved = is_reserved(path);  // checked first, because the file may get its name before the next line
    const auto looked = look_at(path);
    if (looked && looked->written) return {};
    if (!reserved) return tl::unexpected(looked ? not_running(path) : not_there(looked.error(), path));
    std::this_thread::sleep_for(kMarkPoll);
  }
}

}  // namespace

base::Result<void> add_mark(const std::string& path, const model::Mark& mark) {
  if (mark.name.size() > kLongestPath) {
    return base::fail(base::ErrorCode::kUsage, fmt::format("a name of {} bytes is too long", mark.name.size()),
                      fmt::format("a mark has at most {} bytes", kLongestPath));
  }
  if (auto there = await_file(path); !there) return there;
  const auto database = open_for_adding(path);
  if (!database) return tl::unexpected(database.error());
  // Counted and added in one statement, because others may add marks, too.
  auto insert = database->prepare("INSERT INTO mark SELECT NULL,?,? WHERE (SELECT count(*) FROM mark) < ?");
  if (!insert) return tl::unexpected(insert.error());
  if (insert->run(fit_time(mark.time_unix_ms), mark.name, kMostMarks) != SQLITE_OK) {
    return tl::unexpected(database->error("cannot be written"));
  }
  if (sqlite3_changes(database->get()) != 0) return {};
  return base::fail(base::ErrorCode::kFailure, fmt::format("{}: a capture has room for {} marks", path, kMostMarks),
                    "mark fewer moments, or begin another capture");
}

}  // namespace twtrace::capture
