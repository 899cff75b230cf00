// SPDX-License-Identifier: Apache-2.0
// The names of losses, for every sink.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/snapshot.hpp"

namespace twtrace::phrases {

struct Loss {
  const char* name = nullptr;
  std::optional<std::uint64_t> count;  ///< empty: not known
};

/// Every kind of loss, in the order of the outputs.
std::array<Loss, 12> losses(const model::Losses& lost);

/// "events 1,204, rows_full 3", separated by `separator`; empty if nothing was lost.
std::string loss_words(const model::Losses& lost, std::string_view separator);

}  // namespace twtrace::phrases
