// SPDX-License-Identifier: Apache-2.0
#include "output/openmetrics.hpp"

#include <fmt/format.h>

#include <iterator>
#include <string_view>
#include <utility>

namespace twtrace::output {
namespace {

using Type = Metric::Type;

std::string_view suffix_of(Type type) { return type == Type::kCounter ? "_total" : ""; }
std::string_view type_name(Type type) { return type == Type::kCounter ? "counter" : "gauge"; }

class TextForm : public MetricForm {
 public:
  explicit TextForm(MetricFormat format) : format_(format) {}

  /// `name="value"`
  std::string label(std::string_view name, std::string_view value) const override {
    std::string text = fmt::format("{}=\"", name);
    for (const char byte : value) {
      if (byte == '\n') {
        text += "\\n";
        continue;
      }
      if (byte == '"' || byte == '\\') text += '\\';
      text += byte;
    }
    return text += '"';
  }

  /// OpenMetrics names the metric, the text format its samples.
  void begin(const Metric& metric) override {
    const bool is_open = format_ == MetricFormat::kOpenMetrics;
    const std::string name = fmt::format("{}{}", metric.name, is_open ? "" : suffix_of(metric.type));
    const auto out = std::back_inserter(text_);
    fmt::format_to(out, "# HELP {} {}\n", name, metric.help);
    fmt::format_to(out, "# TYPE {} {}\n", name, type_name(metric.type));
    if (is_open && !metric.unit.empty()) fmt::format_to(out, "# UNIT {} {}\n", name, metric.unit);
  }

  void sample(const Metric& metric, std::string_view labels, const MetricNumber& value) override {
    text_.append(metric.name).append(suffix_of(metric.type));
    if (!labels.empty()) text_.append("{").append(labels).append("}");
    std::visit([this](auto number) { fmt::format_to(std::back_inserter(text_), " {}\n", number); }, value);
  }

  std::string finish() {
    if (format_ == MetricFormat::kOpenMetrics) text_ += "# EOF\n";
    return std::move(text_);
  }

 private:
  MetricFormat format_;
  std::string text_;
};

}  // namespace

const char* content_type(MetricFormat format) {
  return format == MetricFormat::kOpenMetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                              : "text/plain; version=0.0.4; charset=utf-8";
}

std::string metrics_text(const MetricFold& fold, const BuildInfo& build, const std::optional<ProcessMetrics>& process,
                         MetricFormat format) {
  TextForm form(format);
  walk_metrics(fold, build, process, form);
  return form.finish();
}

}  // namespace twtrace::output
