// SPDX-License-Identifier: Apache-2.0
// A recursive-descent parser over the text of one budget.
#include "report/budget.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <vector>

#include "base/nearest.hpp"

namespace twtrace::report {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kNameBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
constexpr std::string_view kDigits = "0123456789";
/// Above this a double cannot tell neighbouring counts apart.
constexpr double kLargestNumber = 9e15;
/// A longer text is a mistake, and error messages would repeat it.
constexpr std::size_t kLongestText = 4096;
constexpr std::size_t kMostQuoted = 1000;
constexpr const char* kExample = "for example 'overflow>0' or 'created{service=web.service}>1000'";

bool begins_with_digit(std::string_view text) {
  return !text.empty() && kDigits.find(text.front()) != std::string_view::npos;
}

/// Bytes that continue a character of UTF-8 do not count.
std::ptrdiff_t characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; });
}

std::string expected_metric(std::string_view typed) {
  std::vector<std::string_view> names;
  for (const MetricInfo& metric : metrics()) names.push_back(metric.name);
  return base::expected_one_of(typed, names);
}

constexpr int kMostPort = 65535;

/// The last term about `key`, if none of these subjects is as all terms about it say; else null.
const view::Term* contradiction(const view::Selector& selector, view::Key key,
                                const std::vector<view::Subject>& subjects) {
  const view::Selector terms = selector.only(key);
  if (terms.empty()) return nullptr;
  const auto accepts = [&](const view::Subject& subject) { return terms.accepts(subject); };
  if (std::any_of(subjects.begin(), subjects.end(), accepts)) return nullptr;
  const auto is_about = [key](const view::Term& term) { return term.key == key; };
  return &*std::find_if(selector.terms().rbegin(), selector.terms().rend(), is_about);
}

std::vector<view::Subject> all_roles() {
  std::vector<view::Subject> subjects(2);
  subjects[0].role = model::Role::kServer;
  subjects[1].role = model::Role::kClient;
  return subjects;
}

/// Of the ports, those beside the numbers that terms compare with: a term cannot tell the others apart.
std::vector<view::Subject> some_ports(const view::Selector& selector) {
  std::vector<view::Subject> subjects;
  const auto add = [&](int port) {
    if (port >= 1 && port <= kMostPort) subjects.emplace_back().port = static_cast<std::uint16_t>(port);
  };
  add(1);
  add(kMostPort);
  for (const view::Term& term : selector.terms()) {
    if (term.key != view::Key::kPort) continue;
    for (const int beside : {-1, 0, 1}) add(static_cast<int>(term.number) + beside);
  }
  return subjects;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  base::Result<Budget> parse() {
    Budget budget;
    budget.text = std::string(text_);
    if (text_.size() > kLongestText) return fail(0, fmt::format("it has over {} bytes", kLongestText), kExample);
    for (const auto& part : {&Parser::metric, &Parser::labels, &Parser::op, &Parser::number, &Parser::percent}) {
      if (auto parsed = (this->*part)(budget); !parsed) return tl::unexpected(parsed.error());
    }
    skip_blanks();
    if (at_ != text_.size())
      return fail(at_, fmt::format("\"{}\" does not belong here", text_.substr(at_)), rest_hint());
    return budget;
  }

 private:
  using Parsed = base::Result<void>;

  tl::unexpected<base::Error> fail(std::size_t at, const std::string& what, std::string hint) const {
    return base::fail(base::ErrorCode::kUsage,
                      fmt::format("budget \"{}\": character {}: {}", text_.substr(0, kMostQuoted),
                                  characters(text_.substr(0, at)) + 1, what),
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

  /// What to type instead of what is left after a whole budget.
  std::string rest_hint() const {
    const std::string_view rest = text_.substr(at_);
    const std::string_view grouped = rest.starts_with(',') ? rest.substr(1) : std::string_view();
    const bool in_number = kDigits.find(text_[at_ - 1]) != std::string_view::npos;
    if (in_number && (kNameBytes.find(rest[0]) != std::string_view::npos || begins_with_digit(grouped))) {
      return "write the number in digits, as in 1000 or 1.5";
    }
    return rest.find_first_of("<>=") == std::string_view::npos ? kExample : "give each budget its own --fail-if";
  }

  Parsed metric(Budget& budget) {
    skip_blanks();
    const std::size_t begin = at_;
    const std::string_view name = take_all_of(kNameBytes);
    if (begins_with_digit(name)) return fail(begin, "expected a metric", "the metric comes first, as in overflow>0");
    for (const MetricInfo& known : metrics()) {
      if (!view::equal_ignoring_case(known.name, name)) continue;
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
    const std::size_t first = at_;
    const std::size_t end = closing_brace();
    auto selector = view::parse_selector(text_.substr(first, end - first), view::Grammar::kLabels);
    if (!selector) return fail(first + selector.error().at, selector.error().what, selector.error().hint);
    for (const view::Term& term : selector->terms()) {
      if (term.key == view::Key::kNetns || metric.labels == Labels::kAll) continue;
      return fail(first + term.at, fmt::format("{} is known per netns only", metric.name), "expected netns=NAME");
    }
    if (const auto* term = contradiction(*selector, view::Key::kRole, all_roles()); term != nullptr) {
      return fail(first + term->at, "nothing has two roles, so no row can match", "leave one of them out");
    }
    if (const auto* term = contradiction(*selector, view::Key::kPort, some_ports(*selector)); term != nullptr) {
      return fail(first + term->at, "no port is like that, so no row can match",
                  "ports are the numbers from 1 to 65535");
    }
    budget.selector = std::move(*selector);
    at_ = end;
    if (!take("}")) return fail(at_, "expected , or }", kExample);
    return {};
  }

  /// Where the labels end: at a brace outside quotes, or at the end of the text.
  std::size_t closing_brace() const {
    bool quoted = false;
    std::size_t at = at_;
    for (; at != text_.size() && (quoted || text_[at] != '}'); ++at) quoted = quoted != (text_[at] == '"');
    return at;
  }

  Parsed op(Budget& budget) {
    skip_blanks();
    const std::string_view rest = text_.substr(at_);
    if (rest.starts_with('(') || rest.starts_with('[')) {
      return fail(at_, "labels stand in braces", "as in created{service=web.service}>1000");
    }
    const view::Operator* const typed = view::leading_operator(rest);
    if (typed == nullptr || typed->op == view::Op::kMatch) {
      return fail(at_, typed == nullptr ? "the comparison is missing" : "= is not a comparison",
                  fmt::format("use one of > >= < <= == !=, as in {}>0", info(budget.metric).name));
    }
    budget.op = typed->op;
    at_ += typed->text.size();
    return {};
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

namespace {

std::string narrowed_text(const Budget& budget, const std::vector<Label>& labels) {
  const Labels taken = info(budget.metric).labels;
  std::string added;
  for (const Label& label : labels) {
    if (taken == Labels::kNone || (taken == Labels::kNetns && label.key != view::Key::kNetns)) continue;
    added += (added.empty() ? "" : ",") + label.text;
  }
  if (added.empty()) return budget.text;
  std::string text = budget.text;
  const std::size_t after_name = text.find_first_not_of(kBlanks) + info(budget.metric).name.size();
  const std::size_t brace = text.find_first_not_of(kBlanks, after_name);
  if (text[brace] == '{') return text.insert(brace + 1, added + ",");
  return text.insert(after_name, "{" + added + "}");
}

}  // namespace

base::Result<std::vector<Budget>> narrowed(const std::vector<Budget>& budgets, const std::vector<Label>& labels) {
  std::vector<Budget> all;
  for (const Budget& budget : budgets) {
    auto parsed = parse_budget(narrowed_text(budget, labels));
    if (!parsed) return tl::unexpected(parsed.error());
    all.push_back(std::move(*parsed));
  }
  return all;
}

}  // namespace twtrace::report
