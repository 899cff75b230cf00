// SPDX-License-Identifier: Apache-2.0
// Catches the output of libbpf, which goes through one global callback.
#pragma once

#include <string>

namespace twtrace::loader {

/// While an object lives, it keeps libbpf's warnings for `last_warning`, and logs everything at debug level. Otherwise
/// libbpf is silent. Only one may exist at a time, on one thread.
class LibbpfLog {
 public:
  LibbpfLog();
  LibbpfLog(const LibbpfLog&) = delete;
  LibbpfLog& operator=(const LibbpfLog&) = delete;
  ~LibbpfLog();

  /// The first meaningful line of the verifier's or libbpf's complaint; empty if there is none.
  std::string last_warning() const;
};

}  // namespace twtrace::loader
