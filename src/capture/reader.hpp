// SPDX-License-Identifier: Apache-2.0
// Reads a capture file, whoever made it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/recording.hpp"

namespace twtrace::capture {

/// A capture file, finished, cut or still growing, as a Recording. The file is hostile input: it is opened read-only,
/// its schema must be exactly ours, every number is checked for its range. Nothing in its directory is written to. Not
/// thread-safe.
class Reader final : public model::Recording {
 public:
  /// kNotFound, kFailure or kInvalid, each with what to do, for what is missing, no capture, damaged or of a newer
  /// version.
  static base::Result<std::unique_ptr<Reader>> open(const std::string& path);
  ~Reader() override;

  const model::CaptureInfo& info() const override;
  /// kInvalid for a number that cannot be; the samples before it are sound.
  base::Result<void> for_each(model::Wanted wanted, const model::SampleVisitor& visit) override;
  /// Of the events that are not younger, the newest so many, oldest first; none when none were recorded. kInvalid for
  /// what cannot be.
  base::Result<std::vector<model::Event>> events_until(std::int64_t unix_ms, std::size_t most);

 private:
  class Impl;
  explicit Reader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace twtrace::capture
