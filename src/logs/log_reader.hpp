// SPDX-License-Identifier: Apache-2.0
// Follows the logs of a capture, in a process of its own.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "logs/messages.hpp"
#include "model/logs.hpp"
#include "trace/helper_process.hpp"

namespace twtrace::logs {

/// A process that reads logs, ten times per second, and keeps the lines that match until it is asked for them. So
/// reading and matching never hold up the trace, and the process that traces keeps no capability to read files. Of
/// root's, it is nobody and keeps CAP_DAC_READ_SEARCH (Duty::kReadLogs). Of other users', it reads what that user may
/// read. It ends when this object goes away or this process ends. Cannot be copied or moved. Not thread-safe.
///
/// A log that it reads may never answer (NFS, FUSE). So every function waits for two seconds at most. After an error of
/// any function, nothing more can be read.
class LogReader {
 public:
  /// Starts it while there is only one thread. At most kMostLogs logs, whose patterns have been tried.
  static base::Result<std::unique_ptr<LogReader>> start(const std::vector<model::Log>& logs);

  /// What is written from now on counts. kUsage if a log cannot be read. One that does not exist yet is waited for.
  base::Result<void> begin();
  /// Reads what was written before this call, up to kMostPerLook per log, and returns it with what was read before.
  /// Nothing if that takes too long; then the next call returns it.
  base::Result<Found> look();
  /// The same for the last time: a last line without an end counts, too.
  base::Result<Found> finish();

 private:
  LogReader(trace::HelperProcess process, std::vector<model::Log> logs)
      : process_(std::move(process)), logs_(std::move(logs)), gaps_(logs_.size()) {}
  base::Result<std::optional<Found>> take_answer(std::chrono::milliseconds patience);

  trace::HelperProcess process_;
  std::vector<model::Log> logs_;
  std::vector<model::LogGaps> gaps_;  ///< as far as known
  bool told_late_ = false;
};

}  // namespace twtrace::logs
