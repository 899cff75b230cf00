// SPDX-License-Identifier: Apache-2.0
#include "app/open_capture.hpp"

#include <spdlog/spdlog.h>

namespace twtrace::app {

base::Result<std::unique_ptr<capture::Reader>> open_capture(const std::string& path) {
  auto reader = capture::Reader::open(path);
  if (reader && (*reader)->info().being_replaced) {
    spdlog::warn("{} is still the earlier capture: the one that runs has no sample yet", path);
  }
  return reader;
}

}  // namespace twtrace::app
