// SPDX-License-Identifier: Apache-2.0
// Which row of a group something goes into. Private to this folder.
#pragma once

#include <cstdint>

#include "model/view.hpp"

namespace twtrace::model {

/// The dimensions by which a group tells rows apart; what it merges is left out.
struct Dimensions {
  bool process = false;
  bool program = false;  ///< comm and attribution
  bool service = false;
  bool port = false;  ///< and role
  bool peer = false;
};

/// By reference: valid as long as the fact's identity and peer are.
struct RowKey {
  const Identity* who = nullptr;
  const Peer* peer = nullptr;
  RowKind kind = RowKind::kNormal;
  Dimensions by;
  const NameHashes* names = nullptr;  ///< nullptr: nobody keeps them
  std::uint64_t hash = 0;             ///< Row::id; never 0
};

RowKey key_of(const Fact& fact, Group group);
/// The row of the same processes without the peer.
RowKey without_peer(RowKey key);
bool is_same(const RowKey& left, const RowKey& right);
/// Row::id of what no row took in a namespace.
std::uint64_t unattributed_id(const NetnsInfo& netns);

}  // namespace twtrace::model
