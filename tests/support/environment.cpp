// SPDX-License-Identifier: Apache-2.0
#include "support/environment.hpp"

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <stdexcept>

namespace twtrace::test {

std::string environment(const char* name, const std::string& fallback) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? fallback : value;
}

std::string twtrace_binary() { return environment("TWTRACE_BINARY", TWTRACE_DEFAULT_BINARY); }

std::string workload_binary() { return environment("TWTRACE_WORKLOAD", TWTRACE_DEFAULT_WORKLOAD); }

bool exact_under_steering() { return environment("TWTRACE_EXACT", "0") == "1"; }

void mark_skipped(const std::string& reason) {
  std::cout << "TWTRACE_SKIPPED: " << reason << std::endl;  // the regular expression of SKIP_REGULAR_EXPRESSION
}

bool privileged() {
  if (geteuid() == 0) return true;
  if (environment("CI", "") == "true") throw std::runtime_error("this tier needs root");
  mark_skipped("needs root");
  return false;
}

}  // namespace twtrace::test
