// SPDX-License-Identifier: Apache-2.0
// Pushes metrics to an OpenTelemetry collector.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "export/otlp_settings.hpp"

namespace twtrace::exporter {

/// A child process that posts documents, so that no receiver, however slow, delays a sample. The documents go through a
/// pipe that never blocks. Counters are cumulative: a document that is left out is contained in the next one, so
/// nothing is kept and nothing is sent twice. The child says on standard error when a push fails, and when it works
/// again. It ends with this object or, if it is another user's, after its request. SIGPIPE must be ignored. Not
/// thread-safe.
class OtlpPush {
 public:
  /// How long a last push may take: a signal must end twtrace within 2 s.
  static constexpr std::chrono::milliseconds kFarewell{1500};

  /// Forks: call it while there is one thread, and before files are opened that the child should not have. `confine`
  /// runs in the child and drops what it does not need; it does not push if that fails. kUnsupported if twtrace was
  /// built without HTTP.
  static base::Result<OtlpPush> start(const OtlpSettings& settings, const std::function<base::Result<void>()>& confine);
  OtlpPush(OtlpPush&&) noexcept = default;
  OtlpPush& operator=(OtlpPush&&) = delete;
  OtlpPush(const OtlpPush&) = delete;
  OtlpPush& operator=(const OtlpPush&) = delete;
  /// Lets the child finish what it has, for kFarewell at most.
  ~OtlpPush();

  /// Hands on more of the last document. Returns true if all of it is on its way, or nobody is left to take it.
  bool flush();
  /// Hands on a document, or leaves it out if the last one is not on its way yet. Returns whether it was taken.
  bool send(const std::string& document);

  /// Readable once the child has ended, which it does not do by itself: see ended().
  int child_fd() const { return child_fd_.get(); }
  /// Waits for the child, and says how it ended. Nothing is pushed from then on.
  base::Error ended();

  using Deadline = std::chrono::steady_clock::time_point;
  /// Hands on the last document, waits until the child has pushed it, and ends the child. kFailure if it was not done
  /// by then, or had ended before. If the push fails, the child itself says so.
  base::Result<void> finish(const std::string& document, Deadline deadline);

 private:
  OtlpPush(pid_t child, base::UniqueFd child_fd, base::UniqueFd pipe);
  bool flush_until(Deadline deadline);
  std::optional<int> wait_until(Deadline deadline);

  pid_t child_;
  base::UniqueFd child_fd_;  ///< pidfd
  base::UniqueFd pipe_;
  std::string rest_;  ///< of the last document, behind its length
  std::size_t sent_ = 0;
};

}  // namespace twtrace::exporter
