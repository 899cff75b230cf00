// SPDX-License-Identifier: Apache-2.0
#include "export/otlp_settings.hpp"

#include <map>
#include <tuple>

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
  CHECK(settings.url.url == "http://collector:4318/v1/metrics");
  CHECK(settings.headers.empty());
  CHECK(settings.resource == std::map<std::string, std::string>{{"service.name", "twtrace"}});
  CHECK(settings.interval == 60s);
  CHECK(settings.timeout == 10s);
}

TEST_CASE("the path of the metrics follows the path of the endpoint") {
  for (const auto& [endpoint, url] : Variables{{"https://c/otlp", "https://c/otlp/v1/metrics"},
                                               {"http://[::1]:4318//", "http://[::1]:4318/v1/metrics"},
                                               {" http://c ", "http://c/v1/metrics"},
                                               {"HTTP://127.0.0.1:4318", "http://127.0.0.1:4318/v1/metrics"},
                                               {"http://c/p?tenant=1", "http://c/p/v1/metrics?tenant=1"},
                                               {"http://c/a%20b/", "http://c/a%20b/v1/metrics"},
                                               {"http://u:p@c", "http://u:p@c/v1/metrics"}}) {
    CHECK(accepted({{"OTEL_EXPORTER_OTLP_ENDPOINT", endpoint}}).url.url == url);
  }
}

TEST_CASE("an endpoint of the metrics comes first, and is used as it is") {
  for (const auto& [endpoint, url] : Variables{{"http://m:1/", "http://m:1/"},
                                               {"http://m:1", "http://m:1/"},
                                               {"http://m/otlp/?tenant=1", "http://m/otlp/?tenant=1"}}) {
    CHECK(accepted({{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", endpoint}}).url.url == url);
    CHECK(accepted({{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", endpoint}, {"OTEL_EXPORTER_OTLP_ENDPOINT", ""}}).url.url ==
          url);
  }
  const auto settings = accepted({{"OTEL_EXPORTER_OTLP_METRICS_HEADERS", "a=1"},
                                  {"OTEL_EXPORTER_OTLP_HEADERS", "b=2"},
                                  {"OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "7"},
                                  {"OTEL_EXPORTER_OTLP_TIMEOUT", "8"},
                                  {"OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/json"},
                                  {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}});
  CHECK(settings.headers == std::vector<std::string>{"a: 1"});
  CHECK(settings.timeout == 7ms);
}

TEST_CASE("what is shown of a URL has no password and no query") {
  for (const std::string endpoint :
       {"http://user:s3cret@c:1/p?key=s3cret", "http://s3cret@c:1/p", "http://c:1/p?s3cret#s3cret"}) {
    CHECK(accepted({{"OTEL_EXPORTER_OTLP_ENDPOINT", endpoint}}).url.shown == "http://c:1/p/v1/metrics");
    CHECK(accepted({{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", endpoint}}).url.shown == "http://c:1/p");
  }
}

TEST_CASE("what is refused shows neither a password nor a header") {
  const auto hides = [](Variables variables) {
    variables.emplace("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
    const auto settings = settings_of(variables);
    REQUIRE_FALSE(settings.has_value());
    CHECK((settings.error().what + settings.error().hint).find("s3cret") == std::string::npos);
  };
  for (const std::string endpoint : {"http://user:s3cret", "http://user:s3cret@", "ftp://user:s3cret@c",
                                     "http://user:s3cret@x y", "user:s3cret@c", "http://[::1?s3cret"}) {
    hides({{"OTEL_EXPORTER_OTLP_ENDPOINT", endpoint}});
    hides({{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", endpoint}});
  }
  for (const std::string headers :
       {"authorization Bearer s3cret", "a=1,authorization: Basic s3cret==", "a=s3cret%zz"}) {
    hides({{"OTEL_EXPORTER_OTLP_HEADERS", headers}});
  }
}

TEST_CASE("the switches of the specification stop the push, and say so") {
  for (const auto& [name, value, reason] :
       {std::tuple{"OTEL_SDK_DISABLED", "true", "OTEL_SDK_DISABLED=true"},
        std::tuple{"OTEL_SDK_DISABLED", "TRUE", "OTEL_SDK_DISABLED=true"}, std::tuple{"OTEL_SDK_DISABLED", "false", ""},
        std::tuple{"OTEL_METRICS_EXPORTER", "none", "OTEL_METRICS_EXPORTER=none"},
        std::tuple{"OTEL_METRICS_EXPORTER", "prometheus,console", "OTEL_METRICS_EXPORTER=prometheus,console"},
        std::tuple{"OTEL_METRICS_EXPORTER", "prometheus, otlp", ""}, std::tuple{"OTEL_METRICS_EXPORTER", "otlp", ""}}) {
    CHECK(accepted({{name, value}}).off == reason);
  }
  CHECK_FALSE(settings_of({{"OTEL_SDK_DISABLED", "true"}})->has_value());  // there is nothing to stop
  CHECK_FALSE(accepted({{"OTEL_SDK_DISABLED", "true"}, {"OTEL_EXPORTER_OTLP_ENDPOINT", "nonsense"}}).off.empty());
}

TEST_CASE("headers and attributes are pairs, percent-encoded") {
  const auto settings =
      accepted({{"OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20YTpi=, x-tenant = a%2Cb ,x-none=,x-blank=%20"},
                {"OTEL_RESOURCE_ATTRIBUTES", "service.name=web,deployment.environment=prod%3d1,x="},
                {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"},
                {"OTEL_EXPORTER_OTLP_TIMEOUT", "250"},
                {"OTEL_METRIC_EXPORT_INTERVAL", "15000"}});
  CHECK(settings.headers ==
        std::vector<std::string>{"authorization: Basic YTpi=", "x-tenant: a,b", "x-none;", "x-blank;"});
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
  for (const std::string endpoint : {"collector:4318", "grpc://collector:4317", "ftp://collector", "http", "https",
                                     "http://", "http:///", "://x", "/v1", "http://x y", "http://[::1", "http://x:y"}) {
    refused({{"OTEL_EXPORTER_OTLP_ENDPOINT", endpoint}}, "OTEL_EXPORTER_OTLP_ENDPOINT is not the URL of a collector");
    refused({{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", endpoint}},
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT is not the URL of a collector");
  }
  refused({{"OTEL_SDK_DISABLED", "yes"}}, "OTEL_SDK_DISABLED: \"yes\"");
  refused({{"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}}, "OTEL_EXPORTER_OTLP_PROTOCOL: \"grpc");
  for (const std::string pairs : {"a", "=b", "a=%0d%0aX: y", "a=%zz", "a=%4", "a=b,c"}) {
    refused({{"OTEL_EXPORTER_OTLP_HEADERS", pairs}}, "OTEL_EXPORTER_OTLP_HEADERS: ");
    refused({{"OTEL_RESOURCE_ATTRIBUTES", pairs}}, "OTEL_RESOURCE_ATTRIBUTES: ");
  }
  // A header has a token for a name.
  for (const std::string name : {"x b", "x:", "x%20", "(x)", "x@y", "x[0]", "\xc3\xa4", "x%00"}) {
    refused({{"OTEL_EXPORTER_OTLP_HEADERS", "a=1," + name + "=3"}}, "OTEL_EXPORTER_OTLP_HEADERS: pair 2 ");
  }
  for (const std::string ms : {"0", "-1", "1s", "1.5", "99999999999999999999", "86400001"}) {
    refused({{"OTEL_METRIC_EXPORT_INTERVAL", ms}}, "OTEL_METRIC_EXPORT_INTERVAL: \"" + ms);
    refused({{"OTEL_EXPORTER_OTLP_TIMEOUT", ms}}, "OTEL_EXPORTER_OTLP_TIMEOUT: \"" + ms);
  }
}
