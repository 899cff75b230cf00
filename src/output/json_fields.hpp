// SPDX-License-Identifier: Apache-2.0
// How values become JSON, the same in every schema. Private to this folder.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/escape.hpp"
#include "model/snapshot.hpp"

namespace twtrace::output {

using Json = nlohmann::ordered_json;

/// Thousandths, and milliseconds, are as fine as anything here is measured.
inline double rounded(double value) { return std::round(value * 1000) / 1000; }

/// What is unknown is null, never 0.
template <class T>
Json nullable(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

/// An empty text is an unknown one. Bytes that are no UTF-8 are kept in `<key>_hex`.
inline void put_text(Json& object, const std::string& key, const std::string& bytes) {
  object[key] = bytes.empty() ? Json(nullptr) : Json(base::replace_invalid_utf8(bytes));
  if (!base::is_valid_utf8(bytes)) object[key + "_hex"] = base::hex(bytes);
}

/// The counts in the contract's words; how buckets ended is null where that is not seen.
void put_counts(Json& object, const model::Counters& counts, bool sees_removal);
/// The same of everything, and what of it no owner took.
Json totals_json(const model::Counters& totals, const model::Counters& unattributed, bool sees_removal);
Json host_json(const model::HostInfo& host);
Json probe_json(const model::ProbeInfo& probe);
/// What fell short, in the contract's order.
Json lost_json(const model::Losses& lost);

/// One line of pure ASCII; never throws.
inline std::string to_line(const Json& object) { return object.dump(-1, ' ', true, Json::error_handler_t::replace); }

}  // namespace twtrace::output
