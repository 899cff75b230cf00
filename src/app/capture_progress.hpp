// SPDX-License-Identifier: Apache-2.0
// What a terminal shows while a capture records or is read.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.hpp"
#include "model/recording.hpp"
#include "model/snapshot.hpp"
#include "view/selector.hpp"

namespace twtrace::app {

/// Takes a status, such as show_status() does.
using ShowStatus = std::function<void(std::string_view)>;

/// "1,234 of 5,000 in use (24%), 0 refused": of the fullest namespace that `selector` accepts, named unless it is the
/// host's, and what they all refused so far. Empty if there is none.
std::string table_words(const model::Snapshot& head, const view::Selector& selector);

/// The status of a capture: phase, time left, numbers. Not thread-safe.
class CaptureProgress {
 public:
  /// The caller keeps `clock`.
  CaptureProgress(const base::Clock& clock, ShowStatus show) : clock_(clock), show_(std::move(show)) {}

  /// A phase begins. Without `seconds` it lasts until Ctrl-C.
  void begin(std::string phase, std::optional<double> seconds);
  /// New numbers; see table_words().
  void set_numbers(std::string words) { numbers_ = std::move(words); }
  /// Shows how the phase stands now. Cheap, so it may be called often.
  void show();
  /// No phase runs: show() shows nothing until the next one begins.
  void end() { phase_.clear(); }

 private:
  const base::Clock& clock_;
  ShowStatus show_;
  std::string phase_;  ///< empty: none
  std::string numbers_;
  std::uint64_t began_ns_ = 0;  ///< CLOCK_MONOTONIC
  std::optional<double> seconds_;
};

/// A recording that tells how far it has been read, if that takes long. Not thread-safe.
class ReadingProgress final : public model::Recording {
 public:
  /// The caller keeps `recording` and `clock`. `name`: of the file, as typed.
  ReadingProgress(model::Recording& recording, const std::string& name, const base::Clock& clock, ShowStatus show);

  const model::CaptureInfo& info() const override { return recording_.info(); }
  base::Result<void> for_each(model::Wanted wanted, const model::SampleVisitor& visit) override;

 private:
  void tell(std::int64_t read_until_unix_ms);

  model::Recording& recording_;
  std::string name_;
  const base::Clock& clock_;
  ShowStatus show_;
  int pass_ = 0;
  std::uint64_t next_ns_;  ///< when to tell again, CLOCK_MONOTONIC
};

}  // namespace twtrace::app
