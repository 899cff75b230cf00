// SPDX-License-Identifier: Apache-2.0
#include "app/history_file.hpp"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "app/capture_info.hpp"
#include "capture/writer.hpp"

namespace twtrace::app {
namespace {

/// If older samples are gone, counts begin with the oldest kept one, which itself is not written as a sample.
base::Result<std::uint64_t> write(const model::History& history, trace::Session& session) {
  auto target = capture::TargetFile::check(kHistoryFile, capture::invoker());
  if (!target) return tl::unexpected(target.error());
  const bool from_start = history.oldest() == 1;
  const std::uint64_t base = from_start ? 0 : history.oldest();
  const model::Snapshot& oldest = *history.head(history.oldest());
  std::set<std::uint32_t> known;
  model::CaptureInfo info = capture_info(session, oldest.interval_s);
  info.started_unix_ms = oldest.time_unix_ms;
  if (from_start) info.started_unix_ms -= static_cast<std::int64_t>(oldest.uptime_s * 1000);
  info.settings_at_start = session.settings(known);
  auto writer = capture::Writer::create(std::move(*target), info, this_process(), capture::Durability::kWhenFinished);
  if (!writer) return tl::unexpected(writer.error());
  std::uint64_t written = 0;
  for (std::uint64_t sample = from_start ? 1 : base + 1; sample <= history.newest(); ++sample, ++written) {
    const model::Snapshot& head = *history.head(sample);
    const auto appended =
        writer->append(from_start ? head : model::counted_since(head, oldest), history.since(base, sample));
    if (!appended) return tl::unexpected(appended.error());
  }
  known.clear();
  auto finished = writer->finish(history.head(history.newest())->time_unix_ms, session.settings(known));
  if (!finished) return tl::unexpected(finished.error());
  return written;
}

}  // namespace

std::string write_history(const model::History& history, trace::Session& session) {
  const auto written = write(history, session);
  if (!written) return written.error().what + (written.error().hint.empty() ? "" : ": " + written.error().hint);
  return fmt::format("wrote {} samples to {}; twtrace report {} shows them", fmt::group_digits(*written), kHistoryFile,
                     kHistoryFile);
}

}  // namespace twtrace::app
