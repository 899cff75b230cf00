// SPDX-License-Identifier: Apache-2.0
#include "export/accept.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string>

namespace twtrace::exporter {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// Takes the part before `separator` off the front of `rest`.
std::string_view next_part(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return trimmed(part);
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

/// How much a range is wanted, 0 to 1. What is no number counts as unwanted.
double quality(std::string_view text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  return error == std::errc() && stopped == end && value >= 0 && value <= 1 ? value : 0;
}

struct Range {
  std::string type;
  std::string version;
  double quality = 1;
};

Range parse_range(std::string_view text) {
  Range range;
  range.type = lower(next_part(text, ';'));
  while (!text.empty()) {
    std::string_view value = next_part(text, ';');
    const std::string name = lower(next_part(value, '='));
    value = trimmed(value);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    if (name == "version") range.version = value;
    if (name == "q") range.quality = quality(value);
  }
  return range;
}

}  // namespace

output::MetricFormat negotiate(std::string_view accept) {
  double open_metrics = 0;
  double plain = 0;
  while (!accept.empty()) {
    const Range range = parse_range(next_part(accept, ','));
    const bool is_ours = range.version.empty() || range.version == "1.0.0";
    if (range.type == "application/openmetrics-text" && is_ours) open_metrics = std::max(open_metrics, range.quality);
    if (range.type == "text/plain") plain = std::max(plain, range.quality);
  }
  return open_metrics > 0 && open_metrics >= plain ? output::MetricFormat::kOpenMetrics : output::MetricFormat::kText;
}

}  // namespace twtrace::exporter
