// SPDX-License-Identifier: Apache-2.0
// Opens a capture file for a command that shows it.
#pragma once

#include <memory>
#include <string>

#include "capture/reader.hpp"

namespace twtrace::app {

/// As capture::Reader::open. Warns if a capture is about to take the name of this file, because then this is an earlier
/// one, and whoever started the new one may mean that.
base::Result<std::unique_ptr<capture::Reader>> open_capture(const std::string& path);

}  // namespace twtrace::app
