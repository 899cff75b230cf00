// SPDX-License-Identifier: Apache-2.0
#include "capture/words.hpp"

#include <initializer_list>

namespace twtrace::capture {
namespace {

template <class Enum>
std::optional<Enum> find(std::string_view word, std::initializer_list<Enum> all) {
  for (const Enum value : all) {
    if (word == model::to_string(value)) return value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<model::Role> role_named(std::string_view word) {
  return find(word, {model::Role::kServer, model::Role::kClient});
}

std::optional<model::Attribution> attribution_named(std::string_view word) {
  return find(word, {model::Attribution::kCloser, model::Attribution::kCgroup, model::Attribution::kNone});
}

}  // namespace twtrace::capture
