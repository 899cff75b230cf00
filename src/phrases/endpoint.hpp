// SPDX-License-Identifier: Apache-2.0
// One end of a connection in words.
#pragma once

#include <cstdint>
#include <string>

namespace twtrace::phrases {

/// "10.0.0.1:80", "[2001:db8::1]:443"; "-" stands for what is not known: an empty address, port 0. Safe to print.
std::string endpoint_words(const std::string& address, std::uint16_t port);

}  // namespace twtrace::phrases
