// SPDX-License-Identifier: Apache-2.0
// The backend that a test run is about, for tests of parts of the program.
#pragma once

#include <optional>
#include <string>

#include "loader/backend.hpp"
#include "support/environment.hpp"

namespace twtrace::test {

/// The backend that $TWTRACE_PROBE names; empty if it names none: the best one.
inline std::optional<loader::Backend> chosen_backend() {
  const std::string name = environment("TWTRACE_PROBE", "");
  for (const loader::Backend backend : loader::kBackends) {
    if (name == to_string(backend)) return backend;
  }
  return std::nullopt;
}

}  // namespace twtrace::test
