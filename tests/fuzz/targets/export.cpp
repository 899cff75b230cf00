// SPDX-License-Identifier: Apache-2.0
// The parts of a request and of the command line that the exporter parses.
#include "export/accept.hpp"
#include "export/listen_address.hpp"
#include "target.hpp"

namespace twtrace::fuzz {
namespace {

void run_accept(Bytes bytes) {
  const bool is_open = exporter::negotiate(text(bytes)) == output::MetricFormat::kOpenMetrics;
  std::string lower(text(bytes));
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const bool is_named = lower.find("application/openmetrics-text") != std::string::npos;
  require(!is_open || is_named, "OpenMetrics only for those who name it");
}

void run_listen_address(Bytes bytes) {
  const auto address = exporter::parse_listen_address(text(bytes));
  if (!address) {
    require(!address.error().what.empty() && !address.error().hint.empty(), "a refusal says why and what to do");
    return;
  }
  require(address->host.size() <= 255, "a host has a bounded length");
  require_printable(address->host);
  const auto again = exporter::parse_listen_address(to_string(*address));
  require(again && again->host == address->host && again->port == address->port, "what is printed can be typed");
}

}  // namespace

Target accept_target() {
  return {"accept",
          run_accept,
          {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
           "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
           "text/plain;q=0.3, application/openmetrics-text; version=\"1.0.0\"; charset=utf-8; q=0.9", "*/*", ";q=,"},
          50'000};
}

Target listen_address_target() {
  return {"listen_address",
          run_listen_address,
          {"127.0.0.1:9476", "[::1]:9476", ":0", "[fe80::1%eth0]:80", "host:65535"},
          50'000};
}

}  // namespace twtrace::fuzz
