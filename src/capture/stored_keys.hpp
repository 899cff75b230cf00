// SPDX-License-Identifier: Apache-2.0
// Private to capture: the owners, or the peers, of a file's samples.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "capture/sample_rows.hpp"
#include "capture/sqlite.hpp"
#include "capture/stored_services.hpp"
#include "model/source.hpp"
#include "model/track_key.hpp"

namespace twtrace::capture {

/// What owners or peers hold at a sample. Goes forward only. Needs memory for those of one sample, whatever the length
/// of the file. Not thread-safe.
class StoredKeys {
 public:
  enum class Kind { kOwners, kPeers };
  /// Keeps references to both.
  static base::Result<StoredKeys> open(const Database& database, Kind kind, StoredServices& services);

  /// The state of this sample, after the ones before; false when the table holds what cannot be.
  bool read(std::int64_t sample);
  const SampleRows& changes() const { return changes_; }
  const char* table() const { return kind_ == Kind::kOwners ? "owner_sample" : "peer_sample"; }

  void visit(const model::FactVisitor& visitor) const;
  std::size_t size() const { return size_; }

 private:
  struct Track {
    model::TrackKey key;
    model::NameHashes names;
    model::Counters counts;
    model::Counters previous;
    std::optional<std::uint64_t> live;
    std::uint32_t pids = 1;
    bool exited = false;
    bool touched = false;
  };

  bool read_change(Columns& row);
  Track* track_of(std::int64_t id);
  std::unique_ptr<Track> look_up_key(std::int64_t id);
  void forget(std::int64_t id);

  Kind kind_ = Kind::kOwners;
  SampleRows changes_;
  Statement key_by_id_;
  StoredServices* services_ = nullptr;
  std::vector<std::unique_ptr<Track>>
      tracks_;  ///< by id, which are given by counting from 1; null: part of another one
  std::size_t size_ = 0;
  std::size_t name_bytes_ = 0;
  model::Counters totals_;             ///< of all that there are
  std::vector<std::int64_t> touched_;  ///< in the last sample
};

}  // namespace twtrace::capture
