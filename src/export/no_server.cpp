// SPDX-License-Identifier: Apache-2.0
// In place of server.cpp, for builds without libmicrohttpd.
#include "export/server.hpp"

namespace twtrace::exporter {

base::Result<std::unique_ptr<Server>> Server::create(std::vector<Listener> /*listeners*/, Site /*site*/,
                                                     const ConnectionLimits& /*limits*/) {
  return base::fail(base::ErrorCode::kUnsupported, "this twtrace was built without HTTP",
                    "write the metrics into a file with --textfile");
}

}  // namespace twtrace::exporter
