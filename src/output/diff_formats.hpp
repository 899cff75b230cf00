// SPDX-License-Identifier: Apache-2.0
// The difference of two captures in every format except CSV (report_csv.hpp).
#pragma once

#include <string>

#include "output/style.hpp"
#include "report/diff.hpp"

namespace twtrace::output {

std::string diff_text(const report::Diff& diff, Color color);
std::string diff_markdown(const report::Diff& diff);
/// One line of ASCII without a newline, schema "twtrace.diff/1".
std::string diff_json(const report::Diff& diff);
/// One file, no script, no network.
std::string diff_html(const report::Diff& diff);

}  // namespace twtrace::output
