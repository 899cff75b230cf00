// SPDX-License-Identifier: Apache-2.0
// IP addresses as text.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace twtrace::model {

/// "10.0.0.1" or "2001:db8::1", from network order. An IPv4 address is in the first four bytes.
std::string format_address(bool ipv6, std::span<const std::uint8_t, 16> address);

}  // namespace twtrace::model
