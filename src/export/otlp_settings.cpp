// SPDX-License-Identifier: Apache-2.0
#include "export/otlp_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <utility>

namespace twtrace::exporter {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr std::chrono::milliseconds kLongest{std::chrono::hours(24)};

tl::unexpected<base::Error> refused(const char* name, std::string_view value, std::string hint) {
  return base::fail(base::ErrorCode::kUsage, fmt::format("{}: \"{}\" makes no sense", name, value), std::move(hint));
}

std::string_view without_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// %XX becomes a byte. Empty for a % without two digits.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      decoded += text[at];
      continue;
    }
    unsigned char byte = 0;
    const char* const begin = text.data() + at + 1;
    if (text.size() - at < 3 || std::from_chars(begin, begin + 2, byte, 16).ptr != begin + 2) return std::nullopt;
    decoded += static_cast<char>(byte);
    at += 2;
  }
  return decoded;
}

/// `key=value,key=value`, percent-encoded. Control characters are refused: they would end a header.
base::Result<Pairs> parse_pairs(const char* name, std::string_view text) {
  Pairs pairs;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find(','));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    if (without_blanks(pair).empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto key = percent_decoded(without_blanks(pair.substr(0, equals)));
    const auto value = percent_decoded(without_blanks(pair.substr(std::min(equals + 1, pair.size()))));
    const auto is_control = [](char byte) { return static_cast<unsigned char>(byte) < ' ' || byte == '\x7f'; };
    const bool is_pair = equals < pair.size() && key && value && !key->empty();
    if (!is_pair || std::any_of(key->begin(), key->end(), is_control) ||
        std::any_of(value->begin(), value->end(), is_control)) {
      return refused(name, pair, "give key=value, separated by commas, with other characters as %XX");
    }
    pairs.emplace_back(*key, *value);
  }
  return pairs;
}

base::Result<std::chrono::milliseconds> parse_ms(const char* name, std::string_view text,
                                                 std::chrono::milliseconds otherwise) {
  if (text.empty()) return otherwise;
  std::int64_t ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (error != std::errc() || end != text.data() + text.size() || ms <= 0 || ms > kLongest.count()) {
    return refused(name, text, "give milliseconds, as in 60000, and at most a day");
  }
  return std::chrono::milliseconds(ms);
}

}  // namespace

base::Result<std::optional<OtlpSettings>> otlp_settings(const std::function<const char*(const char*)>& variable) {
  const auto text_of = [&](const char* name) {
    const char* value = variable(name);
    return value == nullptr ? std::string_view() : without_blanks(value);
  };
  constexpr const char* kEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
  constexpr const char* kProtocol = "OTEL_EXPORTER_OTLP_PROTOCOL";
  constexpr const char* kHeaders = "OTEL_EXPORTER_OTLP_HEADERS";
  constexpr const char* kTimeout = "OTEL_EXPORTER_OTLP_TIMEOUT";
  constexpr const char* kInterval = "OTEL_METRIC_EXPORT_INTERVAL";
  constexpr const char* kResource = "OTEL_RESOURCE_ATTRIBUTES";
  constexpr const char* kService = "service.name";

  std::string_view endpoint = text_of(kEndpoint);
  if (endpoint.empty()) return std::nullopt;
  const bool is_http = endpoint.starts_with("http://") || endpoint.starts_with("https://");
  if (!is_http || endpoint.find_first_not_of('/', endpoint.find(':') + 1) == std::string_view::npos) {
    return refused(kEndpoint, endpoint, "give a URL, as in http://collector:4318");
  }
  const std::string_view protocol = text_of(kProtocol);
  if (!protocol.empty() && protocol != "http/json") {
    return refused(kProtocol, protocol, "twtrace pushes http/json only, most often to port 4318");
  }
  while (endpoint.back() == '/') endpoint.remove_suffix(1);

  OtlpSettings settings;
  settings.url = fmt::format("{}/v1/metrics", endpoint);
  const auto headers = parse_pairs(kHeaders, text_of(kHeaders));
  if (!headers) return tl::unexpected(headers.error());
  for (const auto& [name, value] : *headers) settings.headers.push_back(fmt::format("{}: {}", name, value));
  const auto resource = parse_pairs(kResource, text_of(kResource));
  if (!resource) return tl::unexpected(resource.error());
  settings.resource.emplace(kService, "twtrace");
  for (const auto& [key, value] : *resource) settings.resource[key] = value;
  if (const auto service = text_of("OTEL_SERVICE_NAME"); !service.empty()) settings.resource[kService] = service;
  const auto interval = parse_ms(kInterval, text_of(kInterval), settings.interval);
  if (!interval) return tl::unexpected(interval.error());
  const auto timeout = parse_ms(kTimeout, text_of(kTimeout), settings.timeout);
  if (!timeout) return tl::unexpected(timeout.error());
  settings.interval = *interval;
  settings.timeout = *timeout;
  return settings;
}

}  // namespace twtrace::exporter
