// SPDX-License-Identifier: Apache-2.0
// The names of what fell short, for every sink.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "model/snapshot.hpp"

namespace twtrace::phrases {

struct Loss {
  const char* name;
  std::uint64_t count;
};

/// Every kind of loss with its count, 0 where nothing was lost; a count that is not known is 0 too.
std::array<Loss, 11> losses(const model::Losses& lost);

/// "events 1,204, rows_full 3", parted by `separator`; empty when nothing was lost.
std::string loss_words(const model::Losses& lost, std::string_view separator);

}  // namespace twtrace::phrases
