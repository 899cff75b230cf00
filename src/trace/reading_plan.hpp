// SPDX-License-Identifier: Apache-2.0
// Chooses the namespaces whose counters a sample reads from /proc, because each reading takes time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace twtrace::trace {

/// Bounds the time of a sample, however many namespaces there are. Pure. Not thread-safe.
class ReadingPlan {
 public:
  /// A namespace that exists.
  struct Candidate {
    std::uint32_t id = 0;
    bool was_read = false;  ///< it has a reading of an earlier sample
    bool moved = false;  ///< our counts have moved since: before ours are read since the last observation, afterwards
                         ///< since that reading
  };
  using Ids = std::vector<std::uint32_t>;

  /// `readings`: how many namespaces are read in one sample where there are more.
  explicit ReadingPlan(std::size_t readings) : readings_(readings) {}

  /// Begins a sample: who is read before our counts are. The others' last reading is the one before. Where all are
  /// read, those whose counts have moved: what was missed since is stated a sample later, so a `fresh` one reads all.
  Ids due_before(const std::vector<Candidate>& candidates, bool fresh);
  /// Who is read after ours: all where there are no more than `readings`, or the sample is `fresh`. Else those that
  /// have moved, then the others, each time those read longest ago.
  Ids due_after(const std::vector<Candidate>& candidates, bool fresh);

  /// There is no such namespace any more.
  void forget(std::uint32_t id) { read_in_.erase(id); }

 private:
  bool reads_all(std::size_t count, bool fresh) const { return fresh || count <= readings_; }

  std::size_t readings_;
  std::uint64_t sample_ = 0;
  std::map<std::uint32_t, std::uint64_t> read_in_;  ///< sample of the last reading after ours, by id
};

}  // namespace twtrace::trace
