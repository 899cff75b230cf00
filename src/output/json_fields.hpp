// SPDX-License-Identifier: Apache-2.0
// How values become JSON, the same in every schema. Private to this folder.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/escape.hpp"

namespace twtrace::output {

using Json = nlohmann::ordered_json;

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

/// One line of pure ASCII; never throws.
inline std::string to_line(const Json& object) { return object.dump(-1, ' ', true, Json::error_handler_t::replace); }

}  // namespace twtrace::output
