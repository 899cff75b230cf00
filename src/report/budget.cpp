// SPDX-License-Identifier: Apache-2.0
// A recursive-descent parser over the text of one budget.
#include "report/budget.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "base/nearest.hpp"

namespace twtrace::report {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kNameBytes = "abcdefghijklmnopqrstuvwxyz0123456789_";
constexpr std::string_view kDigits = "0123456789";
/// Beyond this a double no longer tells neighbouring counts apart.
constexpr double kLargestNumber = 9e15;
/// Longer texts are a mistake, and error messages repeat them.
constexpr std::size_t kLongestText = 1000;
constexpr const char* kExample = "for example 'overflow>0' or 'created{service=web.service}>1000'";

constexpr std::pair<std::string_view, Op> kOps[] = {{">=", Op::kGreaterEqual}, {"<=", Op::kLessEqual},
                                                    {"==", Op::kEqual},        {"!=", Op::kNotEqual},
                                                    {">", Op::kGreater},       {"<", Op::kLess}};

std::string expected_metric(std::string_view typed) {
  std::vector<std::string_view> names;
  for (const MetricInfo& metric : metrics()) names.push_back(metric.name);
  return base::expected_one_of(typed, names);
}

std::string expected_label(std::string_view typed, Labels labels) {
  constexpr std::array<std::string_view, 5> kNames = {"service", "comm", "role", "port", "netns"};
  return labels == Labels::kAll ? base::expected_one_of(typed, kNames) : "expected netns";
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  base::Result<Budget> parse() {
    Budget budget;
    budget.text = std::string(text_);
    if (text_.size() > kLongestText) return fail(0, "it is too long", kExample);
    for (const auto& part : {&Parser::metric, &Parser::labels, &Parser::op, &Parser::number, &Parser::percent}) {
      if (auto parsed = (this->*part)(budget); !parsed) return tl::unexpected(parsed.error());
    }
    skip_blanks();
    if (at_ != text_.size()) return fail(at_, fmt::format("\"{}\" does not belong here", text_.substr(at_)), kExample);
    return budget;
  }

 private:
  using Parsed = base::Result<void>;

  tl::unexpected<base::Error> fail(std::size_t at, const std::string& what, std::string hint) const {
    return base::fail(base::ErrorCode::kUsage,
                      fmt::format("budget \"{}\": at {}: {}", text_.substr(0, kLongestText), at + 1, what),
                      std::move(hint));
  }

  void skip_blanks() { at_ = std::min(text_.find_first_not_of(kBlanks, at_), text_.size()); }
  bool take(std::string_view token) {
    skip_blanks();
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }
  std::string_view take_all_of(std::string_view bytes) {
    const std::size_t begin = at_;
    at_ = std::min(text_.find_first_not_of(bytes, at_), text_.size());
    return text_.substr(begin, at_ - begin);
  }

  Parsed metric(Budget& budget) {
    skip_blanks();
    const std::size_t begin = at_;
    const std::string_view name = take_all_of(kNameBytes);
    for (const MetricInfo& known : metrics()) {
      if (known.name != name) continue;
      budget.metric = known.metric;
      return {};
    }
    return fail(begin, name.empty() ? "expected a metric" : fmt::format("unknown metric \"{}\"", name),
                expected_metric(name));
  }

  Parsed labels(Budget& budget) {
    skip_blanks();
    const std::size_t begin = at_;
    if (!take("{")) return {};
    const MetricInfo& metric = info(budget.metric);
    if (metric.labels == Labels::kNone) return fail(begin, fmt::format("{} takes no labels", metric.name), kExample);
    do {
      if (auto parsed = label(budget, metric); !parsed) return parsed;
    } while (take(","));
    if (!take("}")) return fail(at_, "expected , or }", kExample);
    return {};
  }

  Parsed label(Budget& budget, const MetricInfo& metric) {
    skip_blanks();
    const std::size_t begin = at_;
    const std::string_view name = take_all_of(kNameBytes);
    const bool by_owner = name == "service" || name == "comm" || name == "role" || name == "port";
    if (name != "netns" && !(by_owner && metric.labels == Labels::kAll)) {
      const std::string what = by_owner       ? fmt::format("{} is not known per {}", metric.name, name)
                               : name.empty() ? std::string("expected a label")
                                              : fmt::format("unknown label \"{}\"", name);
      return fail(begin, what, expected_label(name, metric.labels));
    }
    if (!take("=")) return fail(at_, fmt::format("expected = after {}", name), kExample);
    skip_blanks();
    const std::size_t value_at = at_;
    auto text = value();
    if (!text) return tl::unexpected(text.error());
    return set(budget.selector, name, std::move(*text), begin, value_at);
  }

  /// Bare up to , or } or a quote, blanks around it dropped; or in double quotes, where anything else may stand.
  base::Result<std::string> value() {
    const std::size_t begin = at_;
    if (take("\"")) {
      const std::size_t end = text_.find('"', at_);
      if (end == std::string_view::npos) return fail(begin, "this quote is never closed", kExample);
      std::string quoted(text_.substr(at_, end - at_));
      at_ = end + 1;
      if (quoted.empty()) return fail(begin, "expected a value", kExample);
      return quoted;
    }
    at_ = std::min(text_.find_first_of(",}\"", at_), text_.size());
    const std::string_view bare = text_.substr(begin, at_ - begin);
    if (bare.find_first_not_of(kBlanks) == std::string_view::npos) return fail(begin, "expected a value", kExample);
    return std::string(bare.substr(0, bare.find_last_not_of(kBlanks) + 1));
  }

  Parsed set(Selector& selector, std::string_view name, std::string text, std::size_t name_at, std::size_t value_at) {
    const bool known = (name == "service" && selector.service) || (name == "comm" && selector.comm) ||
                       (name == "role" && selector.role) || (name == "port" && selector.port) ||
                       (name == "netns" && selector.netns);
    if (known) return fail(name_at, fmt::format("{} is given twice", name), "give it once");
    if (name == "role") {
      if (text != "server" && text != "client") {
        return fail(value_at, fmt::format("unknown role \"{}\"", text), "expected server or client");
      }
      selector.role = text == "server" ? model::Role::kServer : model::Role::kClient;
    }
    if (name == "port") {
      std::uint16_t port = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
      if (error != std::errc() || end != text.data() + text.size() || port == 0) {
        return fail(value_at, fmt::format("\"{}\" is not a port number", text), "give a whole number from 1 to 65535");
      }
      selector.port = port;
    }
    if (name == "service") {
      selector.service = std::move(text);
    } else if (name == "comm") {
      selector.comm = std::move(text);
    } else if (name == "netns") {
      selector.netns = std::move(text);
    }
    return {};
  }

  Parsed op(Budget& budget) {
    for (const auto& [token, op] : kOps) {
      if (!take(token)) continue;
      budget.op = op;
      return {};
    }
    return fail(at_, "expected a comparison", "expected one of > >= < <= == !=");
  }

  Parsed number(Budget& budget) {
    skip_blanks();
    const std::size_t begin = at_;
    const std::string_view whole = take_all_of(kDigits);
    bool complete = !whole.empty();
    if (complete && text_.substr(at_, 1) == ".") {
      ++at_;
      complete = !take_all_of(kDigits).empty();
    }
    const std::string_view digits = text_.substr(begin, at_ - begin);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), budget.value);
    if (!complete || parsed.ec != std::errc()) {
      return fail(begin, "expected a number", "digits, with a fraction where it makes sense: 80, 3, 1.5");
    }
    if (budget.value > kLargestNumber) return fail(begin, "this number is too large", kExample);
    return {};
  }

  Parsed percent(Budget& budget) {
    skip_blanks();
    const std::size_t begin = at_;
    if (!take("%")) return {};
    if (info(budget.metric).percent_of == nullptr) {
      return fail(begin, fmt::format("a percentage makes no sense here: {} has no total", info(budget.metric).name),
                  "leave the % out");
    }
    budget.percent = true;
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

base::Result<Budget> parse_budget(std::string_view text) { return Parser(text).parse(); }

}  // namespace twtrace::report
