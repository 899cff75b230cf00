// SPDX-License-Identifier: Apache-2.0
// A trouble in words, the same in every first line.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "model/snapshot.hpp"
#include "phrases/namespace.hpp"

namespace twtrace::phrases {

/// Whether a trouble is told while it lasts, or by a report.
enum class Tense { kNow, kPast };

/// "FULL scheduler.service holds 2,930 of 5,000 (59%)", "refused now: web.service 29/s, 93%": the parts of one line; of
/// a report "FULL scheduler.service held 2,930 of 5,000 (59%)", "refused: web.service 4,454, 93%". Other namespaces
/// than that of the host are named. The names hold bytes that others chose: the sink escapes them.
std::vector<Remark> trouble_remarks(const model::Trouble& trouble, Tense tense = Tense::kNow);

/// "+2 more troubles": those that a list has no room for.
std::string more_troubles_words(std::size_t count);

/// What is said when no namespace that was asked for has a trouble.
Remark calm_remark(const model::Snapshot& snapshot);

}  // namespace twtrace::phrases
