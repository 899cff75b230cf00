// SPDX-License-Identifier: Apache-2.0
#include "export/accept.hpp"

#include "support/catch.hpp"

using twtrace::exporter::negotiate;
using twtrace::output::MetricFormat;

TEST_CASE("OpenMetrics for those who ask for it") {
  for (const char* accept : {
           "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
           "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",  // Prometheus 2.42
           "application/openmetrics-text",
           "Application/OpenMetrics-Text; Version=\"1.0.0\"; charset=utf-8",
           "text/plain, application/openmetrics-text",
           "text/plain;q=0.2 , application/openmetrics-text ; q=0.3",
           ",, application/openmetrics-text;;q=1.000",
       }) {
    INFO(accept);
    CHECK(negotiate(accept) == MetricFormat::kOpenMetrics);
  }
}

TEST_CASE("the text format for everybody else") {
  for (const char* accept : {
           "",
           "*/*",
           "text/plain",
           "text/html,application/xhtml+xml,*/*;q=0.8",
           "application/openmetrics-text;version=0.0.1",
           "application/openmetrics-text;q=0",
           "application/openmetrics-text;q=nan",
           "application/openmetrics-text;q=2",
           "application/openmetrics-text;q=",
           "application/openmetrics-text;q=0.4,text/plain;q=0.5",
           "application/openmetrics-textual",
           "application/openmetrics-text=version=1.0.0",
           ";;;,,,===",
       }) {
    INFO(accept);
    CHECK(negotiate(accept) == MetricFormat::kText);
  }
}
