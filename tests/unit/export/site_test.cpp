// SPDX-License-Identifier: Apache-2.0
#include "export/site.hpp"

#include "support/catch.hpp"

using namespace twtrace;
using exporter::Reply;
using exporter::Site;

namespace {

Site site(const std::string& path = "/metrics") {
  return {path, [](output::MetricFormat format) {
            return std::make_shared<const std::string>(format == output::MetricFormat::kText ? "text" : "open");
          }};
}

}  // namespace

TEST_CASE("the metrics, in the format that the client wants") {
  Reply reply = site().answer({"GET", "/metrics", ""});
  CHECK(reply.status == 200);
  CHECK(reply.content_type == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(*reply.body == "text");
  reply = site().answer({"HEAD", "/metrics", "application/openmetrics-text;version=1.0.0"});
  CHECK(reply.content_type == "application/openmetrics-text; version=1.0.0; charset=utf-8");
  CHECK(*reply.body == "open");
  CHECK(*site("/").answer({"GET", "/", ""}).body == "text");
}

TEST_CASE("the other pages") {
  CHECK(site("/m<b>").answer({"GET", "/", ""}).body->find("<a href=\"/m&lt;b&gt;\">") != std::string::npos);
  CHECK(site().answer({"GET", "/-/healthy", ""}).status == 200);
  CHECK(site().answer({"GET", "/-/ready", ""}).status == 200);
  for (const char* path : {"", "/metric", "/metrics/", "/-/", "//", "/../metrics"}) {
    CHECK(site().answer({"GET", path, ""}).status == 404);
  }
}

TEST_CASE("other methods are refused with those that there are") {
  for (const char* method : {"POST", "PUT", "DELETE", "get", "", "OPTIONS"}) {
    const Reply reply = site().answer({method, "/metrics", ""});
    CHECK(reply.status == 405);
    CHECK(reply.allow == "GET, HEAD");
  }
}

TEST_CASE("before the first sample there is nothing to serve") {
  const Site early{"/metrics", [](output::MetricFormat) { return nullptr; }};
  CHECK(early.answer({"GET", "/metrics", ""}).status == 503);
  CHECK(early.answer({"GET", "/-/ready", ""}).status == 503);
  CHECK(early.answer({"GET", "/-/healthy", ""}).status == 200);
}
