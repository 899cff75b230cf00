// SPDX-License-Identifier: Apache-2.0
// Writes a capture file, one transaction per sample.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "capture/durability.hpp"
#include "capture/target_file.hpp"
#include "model/recording.hpp"
#include "model/snapshot.hpp"
#include "model/source.hpp"

namespace twtrace::capture {

/// A growing capture file. With the first sample it takes its name, and an earlier capture gets .old. Whatever ends the
/// process, everything up to the last append() can be read. With Durability::kEachSample, each sample is on the device
/// before append() returns (WAL with synchronous=FULL). After an error nothing more can be written, and what was
/// written stays. Only one may exist per file and process, because closing the file elsewhere in this process would
/// drop SQLite's locks. Not thread-safe.
class Writer {
 public:
  /// Writes the facts known at the start: versions, host, probe, interval, start, bucket size, argv of the command,
  /// settings, and which logs are followed.
  static base::Result<Writer> create(TargetFile target, const model::CaptureInfo& info,
                                     const model::CaptureWriter& process,
                                     Durability durability = Durability::kEachSample);
  Writer(Writer&& other) noexcept;
  Writer& operator=(Writer&& other) noexcept;
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  /// Without finish() the capture counts as cut short.
  ~Writer();

  /// Adds a sample, with its lines of logs and the events since the last one. The first one gives the file its name.
  base::Result<void> append(const model::Snapshot& head, const model::Source& source);
  /// Keeps the event in memory until the next sample, or until there are many.
  base::Result<void> add_event(const model::Event& event);
  /// Adds the settings of namespaces seen for the first time.
  base::Result<void> add_settings(const std::vector<model::NetnsSettings>& settings);
  /// Writes when the command started and ended, and how. Does not write argv again.
  base::Result<void> set_command(const model::CapturedCommand& command);
  /// What runs now, whatever it does; what is in the file already is not written again.
  base::Result<void> add_processes(const std::vector<model::SeenProcess>& processes);
  base::Result<void> add_mark(const model::Mark& mark);
  /// What could not be read so far of each log, in the order of CaptureInfo::logs.
  base::Result<void> set_log_gaps(const std::vector<model::LogGaps>& gaps);
  /// Writes `ended_unix_ms` and the settings at the end. Turns the file into one plain file, unless another program
  /// keeps it open for more than a second. kFailure without a sample, and if it could not get its name.
  base::Result<Left> finish(std::int64_t ended_unix_ms, const std::vector<model::NetnsSettings>& settings);
  /// True if the file has its name. Before that, an earlier capture may have it.
  bool placed() const;
  /// The path of a capture that finish() has ended, and that could not get its name.
  std::optional<std::string> kept_as() const;
  /// True if it is still where it was placed.
  bool in_place() const;

 private:
  class Impl;
  explicit Writer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace twtrace::capture
