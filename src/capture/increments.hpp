// SPDX-License-Identifier: Apache-2.0
// Turns counts since the start into the increments of a sample. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/source.hpp"
#include "model/track_key.hpp"

namespace twtrace::capture {

/// The fields of Counters in the order of their declaration and of the file's columns.
using Delta = std::array<std::int64_t, model::kCounterFields.size()>;

/// The columns of a Delta in the tables of a file of this version, in its order, each with this prefix. What the
/// version does not have reads as 0.
std::string delta_columns(std::int64_t version, const std::string& prefix = {});

/// `now` less `before`, field by field; a count that fell gives a negative number.
Delta difference(const model::Counters& now, const model::Counters& before);
bool is_zero(const Delta& delta);
/// Adds field by field; false, with `counts` in no particular state, when one would fall below 0 or rise
/// above kMaxCount.
bool add_delta(const Delta& delta, model::Counters& counts);

/// The bytes of its names, of which a file has kMostKeyBytes at most at one time.
std::size_t name_bytes(const model::TrackKey& key);

/// One row of owner_sample or peer_sample.
struct Change {
  std::int64_t id = 0;
  std::optional<model::TrackKey> new_key;  ///< the first change of an id has its key
  bool moved = false;                      ///< moved between keys, not counted in this sample
  Delta delta{};
  std::optional<std::uint64_t> live;
  std::uint32_t pids = 1;  ///< 0: from here on part of another key
  bool exited = false;
};

/// Remembers the last numbers of every key, and returns only changes. Ids count from 1 and are never reused. Not
/// thread-safe.
class Increments {
 public:
  /// Starts a sample.
  void begin() { ++sample_; }
  /// Adds a row of this sample. If a key comes more than once, its rows add up. False, and nothing is added, if the key
  /// is new and a reader would not take one more (kMostKeys, kMostKeyBytes).
  bool add(const model::Fact& fact);
  /// Ends the sample. `complete`: keys that were not added are gone. The sums of all changes so far equal the numbers
  /// of this sample's keys.
  std::vector<Change> end(bool complete);

 private:
  struct Gauges {
    std::optional<std::uint64_t> live;
    std::uint32_t pids = 0;
    bool exited = false;
    bool operator==(const Gauges&) const = default;
  };
  struct Track {
    std::int64_t id = 0;
    bool is_new = true;
    std::uint64_t seen = 0;  ///< last sample that it was in
    model::Counters said;
    Gauges said_gauges;
    model::Counters counts;
    model::Counters previous;
    Gauges gauges;
  };
  using Tracks = std::unordered_map<model::TrackKey, Track, model::TrackHash, model::SameTrack>;

  static void say(const model::TrackKey& key, Track& track, std::vector<Change>& changes);

  std::uint64_t sample_ = 0;
  std::int64_t last_id_ = 0;
  std::size_t name_bytes_ = 0;  ///< of tracks_
  Tracks tracks_;
  std::vector<Tracks::value_type*> touched_;
};

}  // namespace twtrace::capture
