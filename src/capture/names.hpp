// SPDX-License-Identifier: Apache-2.0
// Private to capture: turns the words of a file back into enumerators.
#pragma once

#include <optional>
#include <string_view>

#include "model/snapshot.hpp"

namespace twtrace::capture {

// Empty for a word that no twtrace writes.
std::optional<model::Role> role_named(std::string_view word);
std::optional<model::Attribution> attribution_named(std::string_view word);
std::optional<model::Event::Kind> kind_named(std::string_view word);
std::optional<model::Event::Substate> substate_named(std::string_view word);
std::optional<model::Event::Reason> reason_named(std::string_view word);
std::optional<model::Log::Kind> log_kind_named(std::string_view word);

}  // namespace twtrace::capture
