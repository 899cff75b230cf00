// SPDX-License-Identifier: Apache-2.0
// Reads a capture file from any source.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/recording.hpp"

namespace twtrace::capture {

/// A capture file as a Recording. The file may be finished, cut short or still growing. It is treated as hostile input:
/// opened read-only, its schema must be exactly ours, and every number is checked for its range. Writes nothing in its
/// directory. Not thread-safe.
class Reader final : public model::Recording {
 public:
  /// kNotFound, kFailure or kInvalid, each with a remedy, if the file is missing, not a capture, damaged, or of a newer
  /// version.
  static base::Result<std::unique_ptr<Reader>> open(const std::string& path);
  ~Reader() override;

  const model::CaptureInfo& info() const override;
  /// kInvalid for an impossible number. The samples before it are sound.
  base::Result<void> for_each(model::Wanted wanted, const model::SampleVisitor& visit) override;
  /// The newest events up to a time, at most this many, oldest first. Empty if no events were recorded. kInvalid for an
  /// impossible value.
  base::Result<std::vector<model::Event>> events_until(std::int64_t unix_ms, std::size_t most);

 private:
  class Impl;
  explicit Reader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace twtrace::capture
