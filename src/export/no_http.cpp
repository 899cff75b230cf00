// SPDX-License-Identifier: Apache-2.0
// In place of server.cpp, otlp_poster.cpp and otlp_url.cpp, for builds without libmicrohttpd and libcurl.
#include "export/otlp_poster.hpp"
#include "export/otlp_url.hpp"
#include "export/server.hpp"

namespace twtrace::exporter {
namespace {

tl::unexpected<base::Error> cannot_push() {
  return base::fail(base::ErrorCode::kUnsupported, "this twtrace was built without HTTP, and cannot push metrics",
                    "unset OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_METRICS_ENDPOINT");
}

}  // namespace

base::Result<std::unique_ptr<Server>> Server::create(std::vector<Listener> /*listeners*/, Site /*site*/,
                                                     const ConnectionLimits& /*limits*/) {
  return base::fail(base::ErrorCode::kUnsupported, "this twtrace was built without HTTP",
                    "write the metrics into a file with --textfile");
}

base::Result<std::unique_ptr<OtlpPoster>> OtlpPoster::create(const OtlpSettings& /*settings*/) { return cannot_push(); }

base::Result<OtlpUrl> otlp_url(const std::string& /*text*/, std::string_view /*more*/) { return cannot_push(); }

}  // namespace twtrace::exporter
