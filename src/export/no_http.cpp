// SPDX-License-Identifier: Apache-2.0
// In place of server.cpp and otlp_poster.cpp, for builds without libmicrohttpd and libcurl.
#include "export/otlp_poster.hpp"
#include "export/server.hpp"

namespace twtrace::exporter {

base::Result<std::unique_ptr<Server>> Server::create(std::vector<Listener> /*listeners*/, Site /*site*/,
                                                     const ConnectionLimits& /*limits*/) {
  return base::fail(base::ErrorCode::kUnsupported, "this twtrace was built without HTTP",
                    "write the metrics into a file with --textfile");
}

base::Result<std::unique_ptr<OtlpPoster>> OtlpPoster::create(const OtlpSettings& /*settings*/) {
  return base::fail(base::ErrorCode::kUnsupported, "this twtrace was built without HTTP, and cannot push metrics",
                    "unset OTEL_EXPORTER_OTLP_ENDPOINT");
}

}  // namespace twtrace::exporter
