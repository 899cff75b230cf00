// SPDX-License-Identifier: Apache-2.0
#include "export/otlp_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <utility>

namespace twtrace::exporter {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr const char* kDisabled = "OTEL_SDK_DISABLED";
constexpr const char* kExporter = "OTEL_METRICS_EXPORTER";
constexpr const char* kInterval = "OTEL_METRIC_EXPORT_INTERVAL";
constexpr const char* kResource = "OTEL_RESOURCE_ATTRIBUTES";
constexpr const char* kServiceName = "OTEL_SERVICE_NAME";

constexpr std::chrono::milliseconds kLongest{std::chrono::hours(24)};

constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";  // RFC 9110, 5.6.2

tl::unexpected<base::Error> refused(std::string_view name, std::string_view value, std::string hint) {
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

bool is_control(char byte) { return static_cast<unsigned char>(byte) < ' ' || byte == '\x7f'; }

bool is_plain(const std::string& text) { return !text.empty() && std::none_of(text.begin(), text.end(), is_control); }

bool is_token(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char byte) {
    const char small = static_cast<char>(byte | 0x20);
    return (small >= 'a' && small <= 'z') || (byte >= '0' && byte <= '9') ||
           kTokenMarks.find(byte) != std::string_view::npos;
  });
}

/// `key=value,key=value`, percent-encoded. Control characters are refused: they would end a header. A message shows no
/// pair, because it may hold a password.
base::Result<Pairs> parse_pairs(std::string_view name, std::string_view text, bool (*is_key)(const std::string&)) {
  Pairs pairs;
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view pair = text.substr(0, text.find(','));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    if (without_blanks(pair).empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto key = percent_decoded(without_blanks(pair.substr(0, equals)));
    const auto value = percent_decoded(without_blanks(pair.substr(std::min(equals + 1, pair.size()))));
    const bool is_pair = equals < pair.size() && key && value && is_key(*key);
    if (!is_pair || std::any_of(value->begin(), value->end(), is_control)) {
      return base::fail(base::ErrorCode::kUsage, fmt::format("{}: pair {} makes no sense", name, number),
                        "give key=value, separated by commas, with other characters as %XX");
    }
    pairs.emplace_back(*key, *value);
  }
  return pairs;
}

base::Result<std::chrono::milliseconds> parse_ms(std::string_view name, std::string_view text,
                                                 std::chrono::milliseconds otherwise) {
  if (text.empty()) return otherwise;
  std::int64_t ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (error != std::errc() || end != text.data() + text.size() || ms <= 0 || ms > kLongest.count()) {
    return refused(name, text, "give milliseconds, as in 60000, and at most a day");
  }
  return std::chrono::milliseconds(ms);
}

/// The environment. Empty variables count as unset.
class Environment {
 public:
  explicit Environment(const std::function<const char*(const char*)>& variable) : variable_(variable) {}

  std::string_view text_of(const std::string& name) const {
    const char* value = variable_(name.c_str());
    return value == nullptr ? std::string_view() : without_blanks(value);
  }

  struct Named {
    std::string name;
    std::string_view text;
  };
  /// The variable of OTLP that is about metrics, or else the one about everything.
  Named of_metrics(const std::string& what) const {
    const std::string own = "OTEL_EXPORTER_OTLP_METRICS_" + what;
    if (const auto text = text_of(own); !text.empty()) return {own, text};
    const std::string general = "OTEL_EXPORTER_OTLP_" + what;
    return {general, text_of(general)};
  }

 private:
  const std::function<const char*(const char*)>& variable_;
};

/// Why nothing is pushed though there is an endpoint; empty: it is.
base::Result<std::string> reason_not_to(const Environment& environment) {
  const auto disabled = environment.text_of(kDisabled);
  std::string small(disabled);
  std::transform(small.begin(), small.end(), small.begin(), [](unsigned char byte) { return std::tolower(byte); });
  if (small == "true") return fmt::format("{}=true", kDisabled);
  if (!small.empty() && small != "false") return refused(kDisabled, disabled, "give true or false");
  const auto exporters = environment.text_of(kExporter);
  for (std::string_view rest = exporters; !rest.empty();) {
    const std::string_view one = rest.substr(0, rest.find(','));
    if (without_blanks(one) == "otlp") return {};
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
  }
  return exporters.empty() ? std::string() : fmt::format("{}={}", kExporter, exporters);
}

/// The endpoint of the metrics is used as it is. The path follows that of everything.
base::Result<OtlpUrl> parse_endpoint(const Environment::Named& endpoint) {
  const bool of_metrics = endpoint.name.find("METRICS") != std::string::npos;
  auto url = otlp_url(std::string(endpoint.text), of_metrics ? "" : "/v1/metrics");
  if (url || url.error().code != base::ErrorCode::kInvalid) return url;
  return base::fail(
      base::ErrorCode::kUsage, fmt::format("{} is not the URL of a collector: {}", endpoint.name, url.error().what),
      of_metrics ? "give a URL, as in http://collector:4318/v1/metrics" : "give a URL, as in http://collector:4318");
}

base::Result<std::vector<std::string>> parse_headers(const Environment::Named& headers) {
  const auto pairs = parse_pairs(headers.name, headers.text, is_token);
  if (!pairs) return tl::unexpected(pairs.error());
  std::vector<std::string> lines;
  for (const auto& [name, value] : *pairs) {
    const auto text = without_blanks(value);
    lines.push_back(text.empty() ? name + ';' : fmt::format("{}: {}", name, text));
  }
  return lines;
}

base::Result<std::map<std::string, std::string>> parse_resource(const Environment& environment) {
  constexpr const char* kService = "service.name";
  const auto pairs = parse_pairs(kResource, environment.text_of(kResource), is_plain);
  if (!pairs) return tl::unexpected(pairs.error());
  std::map<std::string, std::string> resource = {{kService, "twtrace"}};
  for (const auto& [key, value] : *pairs) resource[key] = value;
  if (const auto service = environment.text_of(kServiceName); !service.empty()) resource[kService] = service;
  return resource;
}

}  // namespace

base::Result<std::optional<OtlpSettings>> otlp_settings(const std::function<const char*(const char*)>& variable) {
  const Environment environment(variable);
  const auto endpoint = environment.of_metrics("ENDPOINT");
  if (endpoint.text.empty()) return std::nullopt;
  OtlpSettings settings;
  auto off = reason_not_to(environment);
  if (!off) return tl::unexpected(off.error());
  settings.off = std::move(*off);
  if (!settings.off.empty()) return settings;
  auto url = parse_endpoint(endpoint);
  if (!url) return tl::unexpected(url.error());
  const auto protocol = environment.of_metrics("PROTOCOL");
  if (!protocol.text.empty() && protocol.text != "http/json") {
    return refused(protocol.name, protocol.text, "twtrace pushes http/json only, most often to port 4318");
  }
  auto headers = parse_headers(environment.of_metrics("HEADERS"));
  if (!headers) return tl::unexpected(headers.error());
  auto resource = parse_resource(environment);
  if (!resource) return tl::unexpected(resource.error());
  const auto interval = parse_ms(kInterval, environment.text_of(kInterval), settings.interval);
  if (!interval) return tl::unexpected(interval.error());
  const auto timeout = environment.of_metrics("TIMEOUT");
  const auto timeout_ms = parse_ms(timeout.name, timeout.text, settings.timeout);
  if (!timeout_ms) return tl::unexpected(timeout_ms.error());
  settings.url = std::move(*url);
  settings.headers = std::move(*headers);
  settings.resource = std::move(*resource);
  settings.interval = *interval;
  settings.timeout = *timeout_ms;
  return settings;
}

}  // namespace twtrace::exporter
