// SPDX-License-Identifier: Apache-2.0
#include "export/otlp_reply.hpp"

#include "base/escape.hpp"
#include "support/catch.hpp"

using namespace twtrace;

TEST_CASE("an answer that rejects points, or has a message, is told from one that takes everything") {
  for (const std::string body :
       {R"({"partialSuccess":{"rejectedDataPoints":"5","errorMessage":"bad"}})",
        R"({ "partialSuccess" : { "rejectedDataPoints" : 5 } })", R"({"partialSuccess":{"errorMessage":"deprecated"}})",
        R"({"partialSuccess":{"rejectedDataPoints":"0","errorMessage":"x"}})",
        R"({"partialSuccess":{"errorMessage":"","rejectedDataPoints":"05"}})",
        R"({"partialSuccess":{"rejectedDataPoints":05}})"}) {
    INFO(body);
    CHECK(exporter::otlp_rejects(body));
  }
  for (const std::string body :
       {"", "{}", "null", "OK", R"({"partialSuccess":{}})", R"({"partialSuccess":null})",
        "{\n\"partialSuccess\": {}\n}", R"({"partialSuccess":{"rejectedDataPoints":"0","errorMessage":""}})",
        R"({ "partialSuccess": { "errorMessage": "", "rejectedDataPoints": 0 } })", R"({"partialSuccess":)"}) {
    INFO(body);
    CHECK_FALSE(exporter::otlp_rejects(body));
  }
}

TEST_CASE("what a receiver says is one line, escaped and bounded") {
  CHECK(exporter::otlp_quote("").empty());
  CHECK(exporter::otlp_quote(" \r\n{\"message\":\n\t\"bad\"}\n") == "{\"message\": \"bad\"}");
  CHECK(exporter::otlp_quote("a\x1b[31m\xff") == "a\\x1B[31m\\xFF");
  CHECK(base::display_width(exporter::otlp_quote(std::string(100'000, 'a'))) == 200);
}
