// SPDX-License-Identifier: Apache-2.0
#include "export/site.hpp"

#include <fmt/format.h>

#include "base/escape.hpp"
#include "export/accept.hpp"

namespace twtrace::exporter {
namespace {

constexpr const char* kPlain = "text/plain; charset=utf-8";

Reply page(unsigned status, const char* content_type, std::string text) {
  return {status, content_type, std::make_shared<const std::string>(std::move(text)), {}};
}

std::string front_page(const std::string& telemetry_path) {
  const std::string path = base::html_text(telemetry_path);
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><title>twtrace</title></head>\n<body><h1>twtrace</h1>\n"
      "<p>Who fills the TIME_WAIT table: <a href=\"{}\">{}</a></p>\n</body></html>\n",
      path, path);
}

}  // namespace

bool is_known_method(std::string_view method) { return method == "GET" || method == "HEAD"; }

Reply Site::answer(const Request& request) const {
  if (!is_known_method(request.method)) {
    Reply refusal = page(405, kPlain, "twtrace answers GET and HEAD.\n");
    refusal.allow = "GET, HEAD";
    return refusal;
  }
  if (request.path == telemetry_path) {
    const output::MetricFormat format = negotiate(request.accept);
    if (auto text = metrics(format)) return {200, output::content_type(format), std::move(text), {}};
    return page(503, kPlain, "There is no sample yet.\n");
  }
  if (request.path == "/") return page(200, "text/html; charset=utf-8", front_page(telemetry_path));
  if (request.path == "/-/healthy") return page(200, kPlain, "twtrace is healthy.\n");
  if (request.path == "/-/ready") {
    if (metrics(output::MetricFormat::kText)) return page(200, kPlain, "twtrace is ready.\n");
    return page(503, kPlain, "There is no sample yet.\n");
  }
  return page(404, kPlain, fmt::format("There is nothing here. The metrics are at {}.\n", telemetry_path));
}

}  // namespace twtrace::exporter
