// SPDX-License-Identifier: Apache-2.0
#include "target.hpp"

#include <cstdio>
#include <cstdlib>

#include "base/escape.hpp"

namespace twtrace::fuzz {

const std::vector<Target>& targets() {
  static const std::vector<Target> all = {
      record_target(),    netstat_target(), sockstat_target(), stat_target(),          status_target(), cgroup_target(),
      mountinfo_target(), escape_target(),  json_target(),     csv_target(),           table_target(),  event_target(),
      budget_target(),    capture_target(), accept_target(),   listen_address_target()};
  return all;
}

const Target* find_target(std::string_view name) {
  for (const Target& target : targets()) {
    if (target.name == name) return &target;
  }
  return nullptr;
}

void require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", property);
  std::abort();
}

void require_printable(std::string_view output, std::string_view allowed) {
  for (const char c : output) {
    const auto byte = static_cast<unsigned char>(c);
    require((byte >= 0x20 && byte != 0x7f) || allowed.find(c) != std::string_view::npos, "no control byte in output");
  }
  require(base::is_valid_utf8(output), "output is UTF-8");
}

}  // namespace twtrace::fuzz
