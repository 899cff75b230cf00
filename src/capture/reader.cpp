// SPDX-License-Identifier: Apache-2.0
#include "capture/reader.hpp"

#include <utility>
#include <vector>

#include "capture/columns.hpp"
#include "capture/find_gaps.hpp"
#include "capture/limits.hpp"
#include "capture/locks.hpp"
#include "capture/names.hpp"
#include "capture/open.hpp"
#include "capture/replay.hpp"
#include "capture/sqlite.hpp"
#include "capture/stored_events.hpp"
#include "capture/stored_netns.hpp"
#include "capture/stored_services.hpp"
#include "capture/versions.hpp"

namespace twtrace::capture {
namespace {

model::NetnsSettings read_settings(Columns& row, const StoredNetns& namespaces) {
  model::NetnsSettings netns;
  netns.netns = row.number<std::uint32_t>();
  netns.netns_id = namespaces.id(netns.netns, row);
  netns.name = row.text(kLongestPath);
  for (auto* value : {&netns.limit, &netns.default_limit, &netns.fin_timeout_s, &netns.tw_reuse, &netns.timestamps,
                      &netns.syn_backlog, &netns.somaxconn, &netns.ephemeral_ports}) {
    *value = row.optional_gauge();
  }
  return netns;
}

}  // namespace

class Reader::Impl {
 public:
  Impl(Opened opened, bool reserved) : database_(std::move(opened.database)) {
    info_.running = opened.looked.written;
    info_.being_replaced = reserved && !info_.running;
  }

  base::Result<void> read_info() {
    const auto version = database_.version();
    if (!version) return tl::unexpected(version.error());
    version_ = *version;
    const auto all = {&Impl::read_capture,      &Impl::read_fallbacks, &Impl::read_arguments, &Impl::read_marks,
                      &Impl::read_all_settings, &Impl::read_processes, &Impl::read_budgets,   &Impl::read_logs};
    for (const auto& part : all) {
      if (auto done = (this->*part)(); !done) return done;
    }
    auto gaps = find_gaps(database_, info_);
    if (!gaps) return tl::unexpected(gaps.error());
    info_.gaps = std::move(*gaps);
    return {};
  }

  const model::CaptureInfo& info() const { return info_; }

  base::Result<void> for_each(model::Wanted wanted, const model::SampleVisitor& visit) {
    return replay(database_, info_, namespaces_, wanted, visit);
  }
  base::Result<std::vector<model::Event>> events_until(std::int64_t unix_ms, std::size_t most) {
    return capture::events_until(database_, namespaces_, unix_ms, most);
  }

 private:
  /// Calls back for every row of a query.
  template <class Take>
  base::Result<void> each(const char* table, const std::string& sql, const Take& take) {
    auto query = database_.prepare(sql);
    if (!query) return tl::unexpected(query.error());
    int code = query->step();
    for (; code == SQLITE_ROW; code = query->step()) {
      Columns row(query->get());
      take(row);
      if (!row.ok()) return tl::unexpected(malformed(database_, table));
    }
    if (code != SQLITE_DONE) return tl::unexpected(database_.error("cannot be read"));
    return {};
  }

  base::Result<void> read_capture() {
    std::size_t rows = 0;
    auto done = each("capture", "SELECT * FROM capture", [&](Columns& row) {
      row.expect(row.integer() == 1);
      ++rows;
      info_.twtrace_version = row.text();
      info_.host.name = row.text();
      info_.host.kernel = row.text();
      info_.probe.backend = row.text();
      info_.probe.sees.removal = row.flag();
      info_.sees_at_most.no_port = info_.sees_at_most.resets_received = version_ >= kVersionWithHarm;
      info_.sees_at_most.resets_sent = version_ >= kVersionWithResetsSent;
      info_.sees_at_most.queue_drops = version_ >= kVersionWithQueues;
      info_.sees_at_most.no_port_bind = version_ >= kVersionWithNoPortBind;
      if (version_ >= kVersionWithHarm) {
        info_.probe.sees.no_port = row.flag();
        info_.probe.sees.resets_received = row.flag();
      }
      if (version_ >= kVersionWithResetsSent) info_.probe.sees.resets_sent = row.flag();
      if (version_ >= kVersionWithQueues) info_.probe.sees.queue_drops = row.flag();
      if (version_ >= kVersionWithNoPortBind) info_.probe.sees.no_port_bind = row.flag();
      info_.interval_s = row.length();
      info_.started_unix_ms = row.unix_ms();
      const auto moment = [](Columns& columns) { return columns.unix_ms(); };
      info_.ended_unix_ms = row.optional(moment);
      info_.bucket_bytes = row.optional_gauge();
      command_.started_unix_ms = row.optional(moment);
      command_.ended_unix_ms = row.optional(moment);
      const auto byte = [](Columns& columns) { return static_cast<int>(columns.number<std::uint8_t>()); };
      command_.exit_code = row.optional(byte);
      command_.signal = row.optional(byte);
      const auto word = [](Columns& columns) { return columns.integer(); };
      const auto pid = row.optional(word);
      const auto start_ns = row.optional(word);
      if (pid && start_ns) info_.writer = model::CaptureWriter{*pid, *start_ns};
    });
    if (done && rows == 1) return {};
    return done ? tl::unexpected(malformed(database_, "capture")) : done;
  }

  base::Result<void> read_fallbacks() {
    return each("fallback", "SELECT reason FROM fallback ORDER BY id", [&](Columns& row) {
      info_.probe.fallbacks.push_back(row.text(kLongestPath));
      row.expect(info_.probe.fallbacks.size() <= kMostFallbacks);
    });
  }

  base::Result<void> read_arguments() {
    std::size_t bytes = 0;
    auto done = each("argument", "SELECT value FROM argument ORDER BY id", [&](Columns& row) {
      command_.argv.push_back(row.text(kLongestArgument));
      bytes += argument_bytes(command_.argv.back());
      row.expect(bytes <= kLongestCommand);
    });
    if (!command_.argv.empty()) info_.command = std::move(command_);
    return done;
  }

  base::Result<void> read_marks() {
    return each("mark", "SELECT time_unix_ms, name FROM mark ORDER BY time_unix_ms, id", [&](Columns& row) {
      model::Mark mark;
      mark.time_unix_ms = row.unix_ms();
      mark.name = row.text(kLongestPath);
      info_.marks.push_back(std::move(mark));
      row.expect(info_.marks.size() <= kMostMarks);
    });
  }

  base::Result<void> read_budgets() {
    if (version_ < kVersionWithBudgets) return {};
    return each("budget", "SELECT text FROM budget ORDER BY id", [&](Columns& row) {
      info_.budgets.push_back(row.text(kLongestBudget));
      row.expect(info_.budgets.size() <= kMostBudgets);
    });
  }

  base::Result<void> read_logs() {
    if (version_ < kVersionWithLogs) return {};
    return each("log", "SELECT * FROM log ORDER BY id", [&](Columns& row) {
      model::Log log;
      row.expect(row.number<std::uint64_t>() == info_.logs.size() + 1);
      log.kind = row.word(log_kind_named, log.kind);
      log.name = row.text(kLongestPath);
      log.pattern = row.text(kLongestPattern);
      log.gaps.long_lines = row.count();
      log.gaps.skipped_bytes = row.number<std::uint64_t>();
      log.gaps.problem = row.text();
      info_.logs.push_back(std::move(log));
      row.expect(info_.logs.size() <= model::kMostLogs);
    });
  }

  base::Result<void> read_all_settings() {
    auto namespaces = StoredNetns::read(database_);
    if (!namespaces) return tl::unexpected(namespaces.error());
    namespaces_ = std::move(*namespaces);
    info_.namespaces = namespaces_.all();
    return each("setting",
                "SELECT at_end, " + std::string(namespaces_.columns()) +
                    ", name, tcp_max_tw_buckets, default_limit, tcp_fin_timeout, tcp_tw_reuse, " +
                    (version_ < kVersionWithTimestamps ? "NULL" : "tcp_timestamps") +
                    ", tcp_max_syn_backlog, somaxconn, ephemeral_ports FROM setting ORDER BY id",
                [&](Columns& row) {
                  const bool at_end = row.flag();
                  auto& settings = at_end ? info_.settings_at_end : info_.settings_at_start;
                  settings.push_back(read_settings(row, namespaces_));
                  row.expect(settings.size() <= kMostSettings);
                });
  }

  base::Result<void> read_processes() {
    if (version_ < kVersionWithProcesses) return {};
    info_.seen.emplace();
    return each("process",
                std::string("SELECT ") + kServiceColumns +
                    ", comm FROM process LEFT JOIN service ON service.id = process.service ORDER BY process.id",
                [&](Columns& row) {
                  model::SeenProcess process;
                  process.service = read_service(row);
                  process.comm = row.text();
                  info_.seen->push_back(std::move(process));
                  row.expect(info_.seen->size() <= model::kMostSeenProcesses);
                });
  }

  Database database_;
  std::int64_t version_ = 0;
  StoredNetns namespaces_;
  model::CaptureInfo info_;
  model::CapturedCommand command_;
};

Reader::Reader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Reader::~Reader() = default;

base::Result<std::unique_ptr<Reader>> Reader::open(const std::string& path) {
  const bool reserved = is_reserved(path);  // checked first, because the file may get its name before the next line
  auto opened = open_for_reading(path);
  if (!opened) return tl::unexpected(opened.error());
  auto impl = std::make_unique<Impl>(std::move(*opened), reserved);
  if (auto read = impl->read_info(); !read) return tl::unexpected(read.error());
  return std::unique_ptr<Reader>(new Reader(std::move(impl)));
}

const model::CaptureInfo& Reader::info() const { return impl_->info(); }
base::Result<void> Reader::for_each(model::Wanted wanted, const model::SampleVisitor& visit) {
  return impl_->for_each(wanted, visit);
}
base::Result<std::vector<model::Event>> Reader::events_until(std::int64_t unix_ms, std::size_t most) {
  return impl_->events_until(unix_ms, most);
}

}  // namespace twtrace::capture
