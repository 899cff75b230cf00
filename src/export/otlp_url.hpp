// SPDX-License-Identifier: Apache-2.0
// URLs of receivers. May hold a password, so there is a form to show.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace twtrace::exporter {

struct OtlpUrl {
  std::string url;
  std::string shown;  ///< without user, password and query, for messages
};

/// Reads an http or https URL and puts `more` behind its path, in front of its query. kInvalid says what is wrong with
/// the text, without showing it. kUnsupported if twtrace was built without HTTP.
base::Result<OtlpUrl> otlp_url(const std::string& text, std::string_view more);

}  // namespace twtrace::exporter
