// SPDX-License-Identifier: Apache-2.0
#include "output/otlp.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "output/json_writer.hpp"

namespace twtrace::output {
namespace {

/// Metrics that have a name in the semantic conventions. Those without one are left out: a collector knows the start
/// from the counters, and the limit of descriptors from the host.
struct Convention {
  std::string_view metric;
  std::string_view name;
  std::string_view unit;
  bool is_sum = false;  ///< a gauge of ours that adds up there
};
constexpr std::array<Convention, 5> kConventions = {{
    {"process_cpu_seconds", "process.cpu.time", "s"},
    {"process_resident_memory_bytes", "process.memory.usage", "By", true},
    {"process_open_fds", "process.unix.file_descriptor.count", "{file_descriptor}", true},
    {"process_max_fds", "", ""},
    {"process_start_time_seconds", "", ""},
}};

const Convention* convention_of(const Metric& metric) {
  const auto* found = std::find_if(kConventions.begin(), kConventions.end(),
                                   [&](const Convention& one) { return one.metric == metric.name; });
  return found == kConventions.end() ? nullptr : found;
}

/// Units are those of UCUM.
std::string_view unit_of(const Metric& metric) {
  if (const Convention* known = convention_of(metric)) return known->unit;
  if (metric.unit == "seconds") return "s";
  if (metric.unit == "bytes") return "By";
  return metric.unit == "ratio" ? "1" : "";
}

std::string attribute(std::string_view key, std::string_view value) {
  std::string text;
  JsonWriter json(text);
  json.object([&] {
    json.field("key", key);
    json.object("value", [&] { json.field("stringValue", value); });
  });
  return text;
}

class OtlpForm : public MetricForm {
 public:
  explicit OtlpForm(const OtlpContext& context) : context_(context) {}

  std::string label(std::string_view name, std::string_view value) const override { return attribute(name, value); }

  void begin(const Metric& metric) override {
    close();
    const std::string name = otlp_name(metric);
    is_sent_ = !name.empty();
    if (!is_sent_) return;
    const Convention* known = convention_of(metric);
    const bool is_counter = metric.type == Metric::Type::kCounter;
    const bool is_sum = is_counter || (known != nullptr && known->is_sum);
    // 2 is AGGREGATION_TEMPORALITY_CUMULATIVE: enums are numbers in OTLP/JSON.
    const std::string kind =
        is_sum ? fmt::format(R"("sum":{{"aggregationTemporality":2,"isMonotonic":{},)", is_counter) : R"("gauge":{)";
    std::string description;
    JsonWriter json(description);
    json.field("description", metric.help);
    fmt::format_to(std::back_inserter(text_), R"({}{{"name":"{}",{},"unit":"{}",{}"dataPoints":[)",
                   text_.empty() ? "" : ",", name, description, unit_of(metric), kind);
    is_open_ = true;
    is_first_ = true;
  }

  void sample(const Metric& metric, std::string_view labels, const MetricNumber& value) override {
    if (!is_sent_) return;
    fmt::format_to(std::back_inserter(text_), R"({}{{"attributes":[{}],)", is_first_ ? "" : ",", labels);
    if (metric.type == Metric::Type::kCounter) {
      fmt::format_to(std::back_inserter(text_), R"("startTimeUnixNano":"{}",)", context_.start_unix_ns);
    }
    fmt::format_to(std::back_inserter(text_), R"("timeUnixNano":"{}",)", context_.now_unix_ns);
    // 64-bit integers are texts in OTLP/JSON.
    if (const auto* whole = std::get_if<std::uint64_t>(&value)) {
      fmt::format_to(std::back_inserter(text_), R"("asInt":"{}"}})", *whole);
    } else {
      fmt::format_to(std::back_inserter(text_), R"("asDouble":{}}})", std::get<double>(value));
    }
    is_first_ = false;
  }

  /// The metrics, separated by commas.
  std::string finish() {
    close();
    return std::move(text_);
  }

 private:
  void close() {
    if (is_open_) text_ += "]}}";
    is_open_ = false;
  }

  const OtlpContext& context_;
  std::string text_;
  bool is_open_ = false;
  bool is_sent_ = false;
  bool is_first_ = false;
};

}  // namespace

std::string otlp_name(const Metric& metric) {
  if (const Convention* known = convention_of(metric)) return std::string(known->name);
  constexpr std::string_view kPrefix = "twtrace_";
  std::string_view name = metric.name.substr(kPrefix.size());
  if (!metric.unit.empty()) name.remove_suffix(metric.unit.size() + 1);
  return fmt::format("twtrace.{}", name);
}

std::string otlp_metrics(const MetricFold& fold, const BuildInfo& build, const std::optional<ProcessMetrics>& process,
                         const OtlpContext& context) {
  OtlpForm form(context);
  walk_metrics(fold, build, process, form);
  std::string resource;
  for (const auto& [key, value] : context.resource) {
    resource += (resource.empty() ? "" : ",") + attribute(key, value);
  }
  std::string scope;
  JsonWriter json(scope);
  json.object([&] {
    json.field("name", "twtrace");
    json.field("version", build.version);
  });
  return fmt::format(
      R"({{"resourceMetrics":[{{"resource":{{"attributes":[{}]}},"scopeMetrics":[{{"scope":{},"metrics":[{}]}}]}}]}})",
      resource, scope, form.finish());
}

}  // namespace twtrace::output
