// SPDX-License-Identifier: Apache-2.0
// How values become JSON, the same in every schema. Private to this folder.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/escape.hpp"
#include "model/losses.hpp"

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

/// What fell short, in the contract's order.
inline Json lost_json(const model::Losses& lost) {
  Json object{{"events", lost.events}, {"counts", lost.counts}};
  for (const model::Loss& loss : model::losses(lost)) object[loss.name] = loss.count;
  object["recursion_misses"] = nullable(lost.recursion_misses);
  return object;
}

/// One line of pure ASCII; never throws.
inline std::string to_line(const Json& object) { return object.dump(-1, ' ', true, Json::error_handler_t::replace); }

}  // namespace twtrace::output
