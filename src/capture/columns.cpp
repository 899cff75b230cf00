// SPDX-License-Identifier: Apache-2.0
#include "capture/columns.hpp"

#include <fmt/format.h>

namespace twtrace::capture {

base::Error malformed(const Database& database, const char* table) {
  return {base::ErrorCode::kInvalid, 0, fmt::format("{}: table {} has impossible values", database.path(), table),
          "the file is damaged or forged; trust nothing in it"};
}

}  // namespace twtrace::capture
