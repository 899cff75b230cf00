// SPDX-License-Identifier: Apache-2.0
// Which twtrace this is.
#pragma once

namespace twtrace::app {

extern const char* const kVersion;  ///< "0.2.0"
extern const char* const kCommit;   ///< what git describe said of the source; empty for a release tarball

}  // namespace twtrace::app
