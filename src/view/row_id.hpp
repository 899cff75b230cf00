// SPDX-License-Identifier: Apache-2.0
// Which row a fact goes into, as a number that a view can keep. Pure.
#pragma once

#include <cstdint>

#include "model/snapshot.hpp"
#include "model/source.hpp"

namespace twtrace::view {

/// Row::id of the row of `group` that a fact goes into.
std::uint64_t row_id(const model::Fact& fact, model::Group group);
/// Row::id of the row of kind RowKind::kGone. RowSource cannot take it apart.
std::uint64_t gone_row_id();
/// Whether a fact goes into the row of `group` with this Row::id.
model::FactPredicate goes_into(model::Group group, std::uint64_t id);

}  // namespace twtrace::view
