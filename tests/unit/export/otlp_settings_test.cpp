// SPDX-License-Identifier: Apache-2.0
#include "export/otlp_settings.hpp"

#include <map>

#include "support/catch.hpp"

using namespace twtrace;
using namespace std::chrono_literals;

namespace {

using Variables = std::map<std::string, std::string>;

auto settings_of(const Variables& variables) {
  return exporter::otlp_settings([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

exporter::OtlpSettings accepted(Variables variables) {
  variables.emplace("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
  const auto settings = settings_of(variables);
  if (!settings) FAIL(settings.error().what);
  REQUIRE(settings->has_value());
  return **settings;
}

void refused(Variables variables, const std::string& what) {
  INFO(what);
  variables.emplace("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
  const auto settings = settings_of(variables);
  REQUIRE_FALSE(settings.has_value());
  CHECK(settings.error().code == base::ErrorCode::kUsage);
  CHECK(settings.error().what.find(what) != std::string::npos);
  CHECK_FALSE(settings.error().hint.empty());
}

}  // namespace

TEST_CASE("nothing is pushed without an endpoint") {
  for (const Variables& variables :
       {Variables{}, {{"OTEL_EXPORTER_OTLP_ENDPOINT", ""}}, {{"OTEL_METRIC_EXPORT_INTERVAL", "nonsense"}}}) {
    const auto settings = settings_of(variables);
    REQUIRE(settings.has_value());
    CHECK_FALSE(settings->has_value());
  }
}

TEST_CASE("an endpoint alone has the defaults of the specification") {
  const auto settings = accepted({});
  CHECK(settings.url == "http://collector:4318/v1/metrics");
  CHECK(settings.headers.empty());
  CHECK(settings.resource == std::map<std::string, std::string>{{"service.name", "twtrace"}});
  CHECK(settings.interval == 60s);
  CHECK(settings.timeout == 10s);
}

TEST_CASE("the path of the metrics follows the path of the endpoint") {
  for (const auto& [endpoint, url] : Variables{{"https://c/otlp", "https://c/otlp/v1/metrics"},
                                               {"http://[::1]:4318//", "http://[::1]:4318/v1/metrics"},
                                               {" http://c ", "http://c/v1/metrics"}}) {
    CHECK(accepted({{"OTEL_EXPORTER_OTLP_ENDPOINT", endpoint}}).url == url);
  }
}

TEST_CASE("headers and attributes are pairs, percent-encoded") {
  const auto settings = accepted({{"OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20YTpi=, x-tenant = a%2Cb ,"},
                                  {"OTEL_RESOURCE_ATTRIBUTES", "service.name=web,deployment.environment=prod%3d1,x="},
                                  {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"},
                                  {"OTEL_EXPORTER_OTLP_TIMEOUT", "250"},
                                  {"OTEL_METRIC_EXPORT_INTERVAL", "15000"}});
  CHECK(settings.headers == std::vector<std::string>{"authorization: Basic YTpi=", "x-tenant: a,b"});
  CHECK(settings.resource ==
        std::map<std::string, std::string>{{"service.name", "web"}, {"deployment.environment", "prod=1"}, {"x", ""}});
  CHECK(settings.timeout == 250ms);
  CHECK(settings.interval == 15s);
}

TEST_CASE("the service name wins over the attribute") {
  const auto settings =
      accepted({{"OTEL_SERVICE_NAME", "hosts"}, {"OTEL_RESOURCE_ATTRIBUTES", "service.name=web,host.name=a"}});
  CHECK(settings.resource == std::map<std::string, std::string>{{"service.name", "hosts"}, {"host.name", "a"}});
}

TEST_CASE("what makes no sense is refused, with its name and value") {
  for (const std::string endpoint :
       {"collector:4318", "grpc://collector:4317", "http", "https", "http://", "http:///", "://x", "/v1"}) {
    refused({{"OTEL_EXPORTER_OTLP_ENDPOINT", endpoint}}, "OTEL_EXPORTER_OTLP_ENDPOINT: \"" + endpoint);
  }
  refused({{"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}}, "OTEL_EXPORTER_OTLP_PROTOCOL: \"grpc");
  for (const std::string pairs : {"a", "=b", "a=%0d%0aX: y", "a=%zz", "a=%4", "a=b,c"}) {
    refused({{"OTEL_EXPORTER_OTLP_HEADERS", pairs}}, "OTEL_EXPORTER_OTLP_HEADERS: ");
    refused({{"OTEL_RESOURCE_ATTRIBUTES", pairs}}, "OTEL_RESOURCE_ATTRIBUTES: ");
  }
  for (const std::string ms : {"0", "-1", "1s", "1.5", "99999999999999999999", "86400001"}) {
    refused({{"OTEL_METRIC_EXPORT_INTERVAL", ms}}, "OTEL_METRIC_EXPORT_INTERVAL: \"" + ms);
    refused({{"OTEL_EXPORTER_OTLP_TIMEOUT", ms}}, "OTEL_EXPORTER_OTLP_TIMEOUT: \"" + ms);
  }
}
