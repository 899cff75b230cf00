// SPDX-License-Identifier: Apache-2.0
// Compares output with a file. $TWTRACE_UPDATE_GOLDEN=1 rewrites the files.
#pragma once

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "support/catch.hpp"

namespace twtrace::test {

/// `name` is relative to tests/unit.
inline void check_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(TWTRACE_GOLDEN) + "/" + name;
  if (std::getenv("TWTRACE_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ifstream file(path);
  INFO(path);
  REQUIRE(file);
  std::stringstream expected;
  expected << file.rdbuf();
  CHECK(text == expected.str());
}

}  // namespace twtrace::test
