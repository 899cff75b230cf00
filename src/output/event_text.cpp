// SPDX-License-Identifier: Apache-2.0
#include "output/event_text.hpp"

#include <fmt/format.h>

#include "base/format.hpp"
#include "phrases/event.hpp"

namespace twtrace::output {
namespace {

using model::Event;

constexpr std::size_t kEventColumns = 14;
constexpr std::size_t kStageColumns = 10;

// Uses floating point from the start, because times from a capture file may be anything, and their difference may not
// fit.
double relative_s(const Event& event, const EventTextOptions& options) {
  return (static_cast<double>(event.time_unix_ms) - static_cast<double>(options.start_unix_ms)) / 1000;
}

std::string time_text(const Event& event, const EventTextOptions& options) {
  switch (options.time) {
    case TimeStamp::kNone:
      return {};
    case TimeStamp::kWallClock:
      return base::iso8601_ms(event.time_unix_ms).substr(11, 12) + ' ';
    case TimeStamp::kRelative:
      return fmt::format("{:>12.3f} ", relative_s(event, options));
  }
  return {};
}

}  // namespace

std::string event_text(const Event& event, const EventTextOptions& options) {
  const std::string detail = phrases::detail_words(event);
  const std::string line = fmt::format(
      "{}{:<{}} {:<{}} {} {} {} {}{}{}", time_text(event, options), model::to_string(event.kind), kEventColumns,
      phrases::stage_words(event), kStageColumns, phrases::owner_words(event), phrases::role_words(event),
      phrases::connection_words(event), phrases::netns_words(event), detail.empty() ? "" : " ", detail);
  return event.is_alarming() ? alarm(line, options.color) : line;
}

std::string event_text_header(const EventTextOptions& options) {
  const char* time = options.time == TimeStamp::kNone        ? ""
                     : options.time == TimeStamp::kWallClock ? "TIME         "
                                                             : "     SECONDS ";
  return fmt::format("{}{:<{}} {:<{}} OWNER ROLE:PORT LOCAL -> REMOTE NETNS DETAIL", time, "EVENT", kEventColumns,
                     "STAGE", kStageColumns);
}

}  // namespace twtrace::output
