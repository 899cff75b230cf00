// SPDX-License-Identifier: Apache-2.0
// Which row of a group a fact goes into. Private to this folder.
#pragma once

#include <cstdint>

#include "model/snapshot.hpp"
#include "model/source.hpp"

namespace twtrace::view {

/// The dimensions by which a group tells rows apart, without those that it merges.
struct Dimensions {
  bool process = false;
  bool program = false;  ///< comm and attribution
  bool service = false;
  bool port = false;  ///< and role
  bool peer = false;
};

/// Holds references: valid as long as the fact's identity and peer.
struct RowKey {
  const model::Identity* who = nullptr;
  const model::Peer* peer = nullptr;
  model::RowKind kind = model::RowKind::kNormal;
  Dimensions by;
  const model::NameHashes* names = nullptr;  ///< nullptr: not kept
  std::uint64_t hash = 0;                    ///< Row::id; never 0
};

/// The row of `group` that the fact goes into.
RowKey key_of(const model::Fact& fact, model::Group group);
/// The row of the same processes without the peer.
RowKey without_peer(RowKey key);
/// True for the same row: equal hashes alone do not tell.
bool is_same(const RowKey& left, const RowKey& right);
/// Row::id of a row of a whole namespace, which has no other dimension. `netns` is a NetnsRow::id.
std::uint64_t netns_row_id(model::RowKind kind, std::uint32_t netns);

}  // namespace twtrace::view
