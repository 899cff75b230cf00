// SPDX-License-Identifier: Apache-2.0
// One HTTP request after another, by libcurl.
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "export/otlp_settings.hpp"

namespace twtrace::exporter {

/// What became of a document.
struct OtlpAnswer {
  long status = 0;        ///< of HTTP; 0: no answer
  std::string complaint;  ///< what went wrong, with the URL without a password; empty: everything was taken
};

/// Posts documents over one connection that stays open. Not thread-safe.
class OtlpPoster {
 public:
  /// kUnsupported if twtrace was built without HTTP.
  static base::Result<std::unique_ptr<OtlpPoster>> create(const OtlpSettings& settings);
  OtlpPoster() = default;
  OtlpPoster(const OtlpPoster&) = delete;
  OtlpPoster& operator=(const OtlpPoster&) = delete;
  virtual ~OtlpPoster() = default;

  /// Waits for the answer, at most the settings' timeout.
  virtual OtlpAnswer post(const std::string& document) = 0;
};

}  // namespace twtrace::exporter
