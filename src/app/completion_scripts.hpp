// SPDX-License-Identifier: Apache-2.0
// The files of packaging/completions.
#pragma once

namespace twtrace::app {

extern const char* const kBashCompletion;
extern const char* const kZshCompletion;
extern const char* const kFishCompletion;

}  // namespace twtrace::app
