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

/// The same for a line of `columns` (0: any) on a terminal: names are escaped, and cut as far as a part needs
/// it to fit. A part that fits with no name keeps longer ones.
std::vector<Remark> trouble_remarks_within(std::size_t columns, const model::Trouble& trouble);

/// "+2 more troubles": those that a list has no room for.
std::string more_troubles_words(std::size_t count);

/// "nginx.service :443": the service, else the process.
std::string queue_owner_words(const model::ListenQueue& queue);
/// ":443"; "several ports" of a program that has more than are told apart.
std::string queue_port_words(const model::ListenQueue& queue);
/// "queue 512/511".
std::string queue_words(const model::ListenQueue& queue);
/// "somaxconn 4,096, tcp_max_syn_backlog 512"; empty if neither is known.
std::string queue_limit_words(const model::ListenQueue& queue);

/// Buckets were refused, but not by a table.
inline constexpr const char* kNoMemory = "buckets were refused: the kernel had no memory for them";

/// What is said when no namespace that was asked for has a trouble.
Remark calm_remark(const model::Snapshot& snapshot);

}  // namespace twtrace::phrases
