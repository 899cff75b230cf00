// SPDX-License-Identifier: Apache-2.0
// CSV for spreadsheets and scripts: RFC 4180 quoting, LF line ends.
#pragma once

#include <string>
#include <string_view>

#include "model/snapshot.hpp"

namespace twtrace::output {

/// A cell for text from outside: made visible, quoted, and guarded against spreadsheet formulas.
std::string csv_text(std::string_view bytes);

/// The header line of a group: "time,kind," and the names of its wide columns. Print it once.
std::string csv_header(model::Group group);

/// One line per row; empty if there is none. Counts are since start and exact. An unknown value is an empty cell. Text
/// is made visible (sanitize_terminal) and guarded against spreadsheet formulas (csv_cell). `kind` is "normal", "other"
/// or "unattributed". Pure.
std::string snapshot_csv(const model::Snapshot& snapshot);

}  // namespace twtrace::output
