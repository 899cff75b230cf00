// SPDX-License-Identifier: Apache-2.0
#include "capture/marker.hpp"

#include "capture/columns.hpp"
#include "capture/open.hpp"

namespace twtrace::capture {
namespace {

base::Result<void> check_running(const Database& database, const std::function<bool(const WriterProcess&)>& alive) {
  auto query = database.prepare("SELECT writer_pid, writer_start_ns, ended_unix_ms FROM capture");
  if (!query) return tl::unexpected(query.error());
  if (query->step() != SQLITE_ROW) return tl::unexpected(database.error("cannot be read"));
  Columns row(query->get());
  WriterProcess process;
  process.pid = row.number<std::uint32_t>();
  process.start_ns = row.number<std::uint64_t>();
  const char* hint = "marks are for the time while twtrace capture runs; -o names its file";
  if (!row.is_null()) {
    return base::fail(base::ErrorCode::kFailure, database.path() + ": the capture has ended", hint);
  }
  if (row.ok() && alive(process)) return {};
  return base::fail(base::ErrorCode::kFailure, database.path() + ": the capture was cut, nobody writes it any more",
                    hint);
}

}  // namespace

base::Result<void> add_mark(const std::string& path, const model::Mark& mark,
                            const std::function<bool(const WriterProcess&)>& alive) {
  {
    const auto database = open_for_reading(path);  // which leaves a file as it is that is not to be marked
    if (!database) return tl::unexpected(database.error());
    if (auto running = check_running(*database, alive); !running) return running;
  }
  const auto database = open_for_adding(path);
  if (!database) return tl::unexpected(database.error());
  auto insert = database->prepare("INSERT INTO mark VALUES(NULL,?,?)");
  if (!insert) return tl::unexpected(insert.error());
  if (insert->run(mark.time_unix_ms, mark.name) != SQLITE_OK) {
    return tl::unexpected(database->error("cannot be written"));
  }
  return {};
}

}  // namespace twtrace::capture
