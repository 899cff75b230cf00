// SPDX-License-Identifier: Apache-2.0
// Identifies a row of the tables through time, and lets containers find it.
#pragma once

#include <cstddef>
#include <optional>

#include "model/source.hpp"

namespace twtrace::model {

/// Identifies a row of the row table or the peer table through time.
struct TrackKey {
  Identity identity;
  RowKind kind = RowKind::kNormal;
  std::optional<Peer> peer;
};

TrackKey track_key(const Fact& fact);

/// For unordered containers that are searched by Fact, without a copy.
struct TrackHash {
  using is_transparent = void;  // NOLINT(readability-identifier-naming): the name that containers look for
  std::size_t operator()(const TrackKey& key) const;
  std::size_t operator()(const Fact& fact) const;
};
struct SameTrack {
  using is_transparent = void;  // NOLINT(readability-identifier-naming): the name that containers look for
  bool operator()(const TrackKey& left, const TrackKey& right) const;
  bool operator()(const Fact& fact, const TrackKey& key) const;
  bool operator()(const TrackKey& key, const Fact& fact) const { return (*this)(fact, key); }
};

}  // namespace twtrace::model
