// SPDX-License-Identifier: Apache-2.0
// Where to listen, as typed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace twtrace::exporter {

struct ListenAddress {
  std::string host;        ///< a name or a numeric address, IPv6 without brackets; empty: all addresses
  std::uint16_t port = 0;  ///< 0: the kernel chooses
};

/// HOST:PORT, [IPV6]:PORT or :PORT. kUsage for everything else. Whether the host exists is not checked. Pure.
base::Result<ListenAddress> parse_listen_address(std::string_view text);

/// As it can be typed again, and as it stands in a URL.
std::string to_string(const ListenAddress& address);

}  // namespace twtrace::exporter
