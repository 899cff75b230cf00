// SPDX-License-Identifier: Apache-2.0
// libbpf talks through one global callback; this catches what it says.
#pragma once

#include <string>

namespace twtrace::loader {

/// While one of these lives, libbpf's warnings are kept for `last_warning` and everything is logged at debug level;
/// outside, libbpf is silent. One at a time, on one thread.
class LibbpfLog {
 public:
  LibbpfLog();
  LibbpfLog(const LibbpfLog&) = delete;
  LibbpfLog& operator=(const LibbpfLog&) = delete;
  ~LibbpfLog();

  /// The first line of the verifier's or libbpf's complaint that says something; empty when there was none.
  std::string last_warning() const;
};

}  // namespace twtrace::loader
