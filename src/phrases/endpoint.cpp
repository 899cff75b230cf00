// SPDX-License-Identifier: Apache-2.0
#include "phrases/endpoint.hpp"

#include <fmt/format.h>

#include "base/escape.hpp"

namespace twtrace::phrases {

std::string endpoint_words(const std::string& address, std::uint16_t port) {
  const std::string safe = base::sanitize_terminal(address);
  const std::string host = safe.empty() ? "-" : safe.find(':') != std::string::npos ? '[' + safe + ']' : safe;
  return host + ':' + (port == 0 ? "-" : fmt::format("{}", port));
}

}  // namespace twtrace::phrases
