// SPDX-License-Identifier: Apache-2.0
#include "output/log_json.hpp"

#include <array>

#include "base/format.hpp"

namespace twtrace::output {
namespace {

/// The keys of a Beside.
constexpr const char* beside_key(report::Beside beside) {
  constexpr std::array kKeys = {"beside_avoidable_reset", "beside_other_reset", "beside_no_reset"};
  return kKeys.at(static_cast<std::size_t>(beside));
}

void put_lines(JsonWriter& json, const report::LogsReport& logs, const report::LinesBeside& lines) {
  json.field("lines", report::sum(lines));
  for (const report::Beside beside : report::kBesides) {
    const std::uint64_t count = lines.at(static_cast<std::size_t>(beside));
    json.field(beside_key(beside), logs.resets_known ? std::optional(count) : std::nullopt);
  }
}

void put_first(JsonWriter& json, const report::LogsReport& logs, const report::FirstLine& first) {
  json.field("time", base::iso8601_ms(first.time_unix_ms));
  json.field("time_unix_ms", first.time_unix_ms);
  json.field("kind", to_string(logs.logs[first.log].log.kind));
  json.text("log", logs.logs[first.log].log.name);
  json.text("text", first.text);
}

void put_log(JsonWriter& json, const report::LogsReport& logs, const report::LogReport& part) {
  const model::Log& log = part.log;
  json.field("kind", to_string(log.kind));
  json.text("log", log.name);
  json.text("pattern", log.pattern);
  put_lines(json, logs, part.lines);
  json.field("without_text", part.without_text);
  json.field("long_lines", log.gaps.long_lines);
  json.field("skipped_bytes", log.gaps.skipped_bytes);
  json.text("problem", log.gaps.problem);
}

}  // namespace

void put_application_errors(JsonWriter& json, const report::LogsReport& logs) {
  if (logs.logs.empty()) return json.field("application_errors", nullptr);
  json.object("application_errors", [&] {
    put_lines(json, logs, logs.lines);
    json.object("first", [&] {
      for (const report::Beside beside : report::kBesides) {
        json.object_if(beside_key(beside), logs.first.at(static_cast<std::size_t>(beside)),
                       [&](const report::FirstLine& first) { put_first(json, logs, first); });
      }
    });
    json.objects("logs", logs.logs, [&](const report::LogReport& part) { put_log(json, logs, part); });
    json.objects("timeline", logs.timeline, [&](const report::LogPoint& point) {
      json.field("begin_unix_ms", point.begin_unix_ms);
      json.field("end_unix_ms", point.end_unix_ms);
      json.field("lines", point.lines);
      json.field("resets", logs.resets_known ? std::optional(point.resets) : std::nullopt);
      json.field("peer_resets_avoidable", logs.resets_known ? std::optional(point.avoidable) : std::nullopt);
    });
  });
}

}  // namespace twtrace::output
