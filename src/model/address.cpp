// SPDX-License-Identifier: Apache-2.0
#include "model/address.hpp"

#include <arpa/inet.h>

#include <array>
#include <charconv>

namespace twtrace::model {
namespace {

/// inet_ntop takes most of the time of an event, so the common case has a fast path.
std::string format_ipv4(std::span<const std::uint8_t, 16> address) {
  std::array<char, INET_ADDRSTRLEN> text{};
  char* end = text.data();
  for (std::size_t i = 0; i < 4; ++i) {
    if (i != 0) *end++ = '.';
    end = std::to_chars(end, text.data() + text.size(), address[i]).ptr;
  }
  return {text.data(), end};
}

}  // namespace

std::string format_address(bool ipv6, std::span<const std::uint8_t, 16> address) {
  if (!ipv6) return format_ipv4(address);
  std::array<char, INET6_ADDRSTRLEN> text{};
  const char* done = ::inet_ntop(AF_INET6, address.data(), text.data(), text.size());
  return done == nullptr ? std::string() : std::string(done);
}

}  // namespace twtrace::model
