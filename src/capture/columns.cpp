// SPDX-License-Identifier: Apache-2.0
#include "capture/columns.hpp"

#include <fmt/format.h>

namespace twtrace::capture {

base::Error malformed(const Database& database, const char* table) {
  return {base::ErrorCode::kInvalid, 0, fmt::format("{}: table {} holds what cannot be", database.path(), table),
          "the file was damaged or made up; nothing in it can be believed"};
}

}  // namespace twtrace::capture
