// SPDX-License-Identifier: Apache-2.0
// A file of metrics for node_exporter's textfile collector.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace twtrace::exporter {

/// A file that is replaced as a whole, so that a reader never finds half of it. Each text is written to FILE.new and
/// renamed. Everybody may read it. Not thread-safe.
class Textfile {
 public:
  /// Checks that FILE can be replaced, by making and removing FILE.new. kUsage if FILE is "-" or anything but a regular
  /// file, such as a device or a link; else the error of the system call.
  static base::Result<Textfile> check(const std::string& path);

  /// Replaces the contents. After an error the earlier contents are still there, and the next call tries again.
  base::Result<void> write(std::string_view text) const;

 private:
  explicit Textfile(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

}  // namespace twtrace::exporter
