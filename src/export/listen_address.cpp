// SPDX-License-Identifier: Apache-2.0
#include "export/listen_address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace twtrace::exporter {
namespace {

constexpr std::size_t kLongestHost = 255;  // NI_MAXHOST and RFC 1035 allow no longer name

std::optional<std::uint16_t> parse_port(std::string_view digits) {
  std::uint16_t port = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, port);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return port;
}

bool is_host_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_';
}

bool is_ipv6_character(char c) { return is_host_character(c) || c == ':' || c == '%'; }

/// The host without brackets. IPv6 has a colon, so it needs them.
std::optional<std::string> parse_host(std::string_view text) {
  if (text.size() > kLongestHost) return std::nullopt;
  const bool in_brackets = text.size() > 2 && text.front() == '[' && text.back() == ']';
  if (in_brackets) text = text.substr(1, text.size() - 2);
  const bool is_valid =
      in_brackets ? text.find(':') != std::string_view::npos && std::all_of(text.begin(), text.end(), is_ipv6_character)
                  : std::all_of(text.begin(), text.end(), is_host_character);
  return is_valid ? std::optional<std::string>(text) : std::nullopt;
}

}  // namespace

base::Result<ListenAddress> parse_listen_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos) {
    const auto host = parse_host(text.substr(0, colon));
    const auto port = parse_port(text.substr(colon + 1));
    if (host && port) return ListenAddress{*host, *port};
  }
  return base::fail(base::ErrorCode::kUsage, fmt::format("\"{}\" is not an address to listen on", text),
                    "give HOST:PORT, as in 127.0.0.1:9476, [::1]:9476, or :9476 for all addresses");
}

std::string to_string(const ListenAddress& address) {
  const bool is_ipv6 = address.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", is_ipv6 ? "[" : "", address.host, is_ipv6 ? "]" : "", address.port);
}

}  // namespace twtrace::exporter
