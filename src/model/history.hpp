// SPDX-License-Identifier: Apache-2.0
// The last minutes, sample by sample. Pausing, stepping back, timelines and replay read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "model/snapshot.hpp"
#include "model/source.hpp"
#include "model/track_key.hpp"

namespace twtrace::model {

/// How much to keep. The first limit that is reached applies. The newest sample always stays.
struct HistoryLimits {
  double seconds = 600;
  std::size_t samples = 1200;
  std::size_t bytes = std::size_t{64} << 20U;  ///< for what grows with the load and with the number of namespaces
};

/// One sample at which a row's numbers changed.
struct TrackVersion {
  std::uint64_t sample = 0;
  Counters counts;
  Counters previous;
  std::optional<std::uint64_t> live;
  std::uint32_t pids = 1;
  bool exited = false;
  bool gone = false;  ///< from here on the row is part of another row
};

/// Keeps samples: a snapshot without rows and, per row, only the samples in which it changed. A row that does not
/// change costs nothing. Not thread-safe.
class History {
 public:
  explicit History(HistoryLimits limits = {}) : limits_(limits) {}
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  /// Adds the present moment, and returns the number of the new sample. `head` has no rows. Samples are numbered from 1
  /// on.
  std::uint64_t append(SnapshotPtr head, const Source& source);

  /// The first and the last sample that are kept. The history must not be empty.
  std::uint64_t oldest() const { return first_; }
  std::uint64_t newest() const { return first_ + samples_.size() - 1; }
  /// `sample`, or the nearest one that is kept.
  std::uint64_t clamp(std::uint64_t sample) const;
  const SnapshotPtr& head(std::uint64_t sample) const { return samples_[sample - first_].head; }
  /// The last kept sample that is not later than this, or the oldest one.
  std::uint64_t sample_at(std::int64_t unix_ms) const;

  /// From now on counts are shown since this sample; 0: since start.
  void set_zero(std::uint64_t sample);
  std::uint64_t zero() const { return zero_; }
  /// The snapshot since which counts are shown; null if that is the start, or if it is later than `sample`.
  const Snapshot* zero_head(std::uint64_t sample) const;

  /// Rows as of a kept sample, for build_rows. Valid until the history is changed.
  class SampleSource final : public Source {
   public:
    /// `base` is an earlier kept sample, whose counts are subtracted; 0: none.
    SampleSource(const History& history, std::uint64_t sample, std::uint64_t base);
    void visit(const FactVisitor& visitor) const override;
    void visit_peers(const FactVisitor& visitor) const override;
    const std::vector<NetnsInfo>& namespaces() const override { return namespaces_; }
    std::size_t size_hint() const override { return history_.rows_.size(); }

   private:
    const History& history_;
    std::uint64_t sample_;
    std::uint64_t base_;
    std::vector<NetnsInfo> namespaces_;
  };
  SampleSource at(std::uint64_t sample) const { return {*this, sample, 0}; }
  /// The rows as if counting had begun with the sample `base`.
  SampleSource since(std::uint64_t base, std::uint64_t sample) const { return {*this, sample, base}; }

  /// The numbers of some facts at each sample, and when the first of them was seen.
  struct Timeline {
    struct Point {
      std::uint64_t sample = 0;
      std::uint64_t created = 0;  ///< in the interval that ended with the sample
      std::uint64_t refused = 0;
    };
    std::int64_t first_seen_unix_ms = 0;  ///< 0: never
    std::vector<Point> points;            ///< one for every kept sample up to the asked one
  };
  /// The timeline of the facts that `counts` selects.
  Timeline timeline(const FactPredicate& counts, std::uint64_t sample) const;

  /// Memory that row versions and the namespaces of every sample take, in bytes.
  std::size_t bytes() const { return versions_ * sizeof(TrackVersion) + samples_bytes_; }

 private:
  struct Sample {
    SnapshotPtr head;
    std::vector<NetnsInfo> namespaces;
    std::size_t bytes() const;
  };
  struct Track {
    std::vector<TrackVersion> versions;  ///< ascending; the first may be older than the oldest sample
    std::uint64_t seen = 0;              ///< last sample that it was in
    std::int64_t first_unix_ms = 0;
    NameHashes names;
    Counters zero;
  };
  struct Tracks : std::unordered_map<TrackKey, Track, TrackHash, SameTrack> {
    /// All tracks, for walks that prefetch. A walk through the table itself would wait for memory at each one. Shorter
    /// than the table after some tracks were removed.
    mutable std::vector<const value_type*> in_line;
  };

  void record(Tracks& tracks, const Fact& fact, std::uint64_t sample);
  void close_vanished(std::uint64_t sample);
  /// When a row became part of another one.
  struct End {
    std::uint64_t sample = 0;
    Tracks::value_type* track = nullptr;
  };
  void hand_over_zeros(std::vector<End> ends);
  bool too_long() const;
  void trim();
  void trim(Tracks& tracks);
  void visit(const Tracks& tracks, std::uint64_t sample, std::uint64_t base, const FactVisitor& visitor) const;
  static const std::vector<const Tracks::value_type*>& in_line(const Tracks& tracks);
  static const TrackVersion* version_at(const Track& track, std::uint64_t sample);

  HistoryLimits limits_;
  std::uint64_t first_ = 1;
  std::deque<Sample> samples_;
  Tracks rows_;
  Tracks peers_;
  std::size_t versions_ = 0;
  std::size_t samples_bytes_ = 0;
  std::uint64_t zero_ = 0;
  SnapshotPtr zero_head_;
};

/// `head` with every count since `zero`: totals and namespaces. Rates and gauges stay.
Snapshot counted_since(const Snapshot& head, const Snapshot& zero);

}  // namespace twtrace::model
