// SPDX-License-Identifier: Apache-2.0
#include "phrases/owner.hpp"

#include "view/columns.hpp"

namespace twtrace::phrases {

namespace {

bool has_name(const model::Row& row) { return row.process && !row.process->comm.empty(); }

}  // namespace

bool is_named(const model::Row& row) {
  return row.kind == model::RowKind::kNormal && (has_name(row) || !row.shown_service().empty());
}

std::string owner_words(const model::Row& row) {
  const bool before_start = row.kind == model::RowKind::kBeforeStart;
  if (row.kind != model::RowKind::kNormal && !before_start) return std::string(view::row_label(row.kind));
  // If nobody was seen closing, only the service is known.
  const bool named = has_name(row);
  const std::string service = row.shown_service();
  std::string words = named ? row.process->comm : service.empty() ? "an unknown process" : "a process";
  if (!service.empty()) words += " of " + service;
  if (before_start) words = "buckets from before the start";
  if (!row.role) return words;
  words += std::string(" (") + to_string(*row.role) + " :" + view::shown_port(row.role, row.port);
  // Who closed them is not known, only who is there now.
  if (before_start && !service.empty()) words += " of " + service;
  return words + ")";
}

}  // namespace twtrace::phrases
