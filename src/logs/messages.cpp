// SPDX-License-Identifier: Apache-2.0
#include "logs/messages.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

#include "kernel/text.hpp"

namespace twtrace::logs {
namespace {

constexpr std::size_t kGapsFields = 3;
constexpr std::size_t kLineFields = 5;

std::optional<model::LogGaps> gaps_of(const std::string* fields) {
  const auto long_lines = kernel::parse_number<std::uint64_t>(fields[0]);
  const auto skipped_bytes = kernel::parse_number<std::uint64_t>(fields[1]);
  if (!long_lines || !skipped_bytes) return std::nullopt;
  return model::LogGaps{*long_lines, *skipped_bytes, fields[2]};
}

std::optional<model::LogLine> line_of(const std::string* fields, std::size_t logs) {
  const auto log = kernel::parse_number<std::size_t>(fields[0]);
  const auto time_unix_ms = kernel::parse_number<std::int64_t>(fields[1]);
  const auto lines = kernel::parse_number<std::uint64_t>(fields[2]);
  if (!log || *log >= logs || !time_unix_ms || !lines) return std::nullopt;
  model::LogLine line{*log, *time_unix_ms, *lines, {}};
  if (fields[3] == "1") line.text = fields[4];
  return line;
}

}  // namespace

base::Fields fields_of(const Found& found) {
  base::Fields fields;
  fields.reserve(found.gaps.size() * kGapsFields + found.lines.size() * kLineFields);
  for (const model::LogGaps& gaps : found.gaps) {
    for (std::string field : {std::to_string(gaps.long_lines), std::to_string(gaps.skipped_bytes), gaps.problem}) {
      fields.push_back(std::move(field));
    }
  }
  for (const model::LogLine& line : found.lines) {
    for (std::string field : {std::to_string(line.log), std::to_string(line.time_unix_ms), std::to_string(line.lines),
                              std::string(line.text ? "1" : "0"), line.text.value_or("")}) {
      fields.push_back(std::move(field));
    }
  }
  return fields;
}

std::optional<Found> found_of(const base::Fields& fields, std::size_t logs) {
  const std::size_t first_line = logs * kGapsFields;
  if (fields.size() < first_line || (fields.size() - first_line) % kLineFields != 0) return std::nullopt;
  Found found;
  for (std::size_t i = 0; i < first_line; i += kGapsFields) {
    auto gaps = gaps_of(&fields[i]);
    if (!gaps) return std::nullopt;
    found.gaps.push_back(std::move(*gaps));
  }
  for (std::size_t i = first_line; i < fields.size(); i += kLineFields) {
    auto line = line_of(&fields[i], logs);
    if (!line) return std::nullopt;
    found.lines.push_back(std::move(*line));
  }
  return found;
}

}  // namespace twtrace::logs
