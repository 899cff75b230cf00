// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "output/json.hpp"

namespace twtrace::test {

/// The line of a single event.
inline std::string event_json(const model::Event& event) {
  std::string line;
  output::append_event_json(line, event);
  return line;
}

}  // namespace twtrace::test
