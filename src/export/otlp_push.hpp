// SPDX-License-Identifier: Apache-2.0
// Pushes metrics to an OpenTelemetry collector.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "export/otlp_settings.hpp"

namespace twtrace::exporter {

/// A child process that posts documents, so that no receiver, however slow, delays a sample. The documents go through a
/// pipe that never blocks. Counters are cumulative: a document that is left out is contained in the next one, so
/// nothing is kept and nothing is sent twice. The child says on standard error when a push fails, and when it works
/// again. It ends with this object or, if it is another user's, after its request. Not thread-safe.
class OtlpPush {
 public:
  /// Forks: call it while there is one thread, and before files are opened that the child should not have. `confine`
  /// runs in the child and drops what it does not need; it does not push if that fails. kUnsupported if twtrace was
  /// built without HTTP.
  static base::Result<OtlpPush> start(const OtlpSettings& settings, const std::function<base::Result<void>()>& confine);
  OtlpPush(OtlpPush&&) noexcept = default;
  OtlpPush& operator=(OtlpPush&&) = delete;
  OtlpPush(const OtlpPush&) = delete;
  OtlpPush& operator=(const OtlpPush&) = delete;
  /// Lets the child finish what it has, for two seconds at most.
  ~OtlpPush();

  /// Hands on more of the last document. Returns true if all of it is on its way.
  bool flush();
  /// Hands on a document, or leaves it out if the last one is not on its way yet. Returns whether it was taken.
  bool send(const std::string& document);

 private:
  OtlpPush(pid_t child, base::UniqueFd child_fd, base::UniqueFd pipe);

  pid_t child_;
  base::UniqueFd child_fd_;  ///< pidfd
  base::UniqueFd pipe_;
  std::string rest_;  ///< of the last document, behind its length
  std::size_t sent_ = 0;
};

}  // namespace twtrace::exporter
