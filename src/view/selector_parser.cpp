// SPDX-License-Identifier: Apache-2.0
// Parses text into the terms of a selector.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <utility>

#include "base/nearest.hpp"
#include "view/columns.hpp"
#include "view/selector.hpp"

namespace twtrace::view {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr double kMostPort = 65535;
constexpr double kMostPid = 4294967295.0;
/// Above this a double cannot tell neighbouring counts apart.
constexpr double kMostAmount = 9e15;

/// The keys that can stand before an operator.
struct KeyName {
  std::string_view name;
  Key key;
  const char* example;
  double most = 0;  ///< of numbers
  std::optional<double> (*amount)(const Amounts&) = nullptr;
};

template <std::size_t kIndex>
std::optional<double> count(const Amounts& amounts) {
  return static_cast<double>(model::kCountNames[kIndex].of(amounts.counts));
}
std::optional<double> live(const Amounts& amounts) {
  return amounts.live ? std::optional(static_cast<double>(*amounts.live)) : std::nullopt;
}
std::optional<double> created_per_s(const Amounts& amounts) { return amounts.created_per_s; }
std::optional<double> overflow_per_s(const Amounts& amounts) { return amounts.overflow_per_s; }

constexpr KeyName amount(std::string_view name, std::optional<double> (*of)(const Amounts&)) {
  return {name, Key::kAmount, "overflow>0", kMostAmount, of};
}

template <std::size_t... kIndex>
constexpr auto make_keys(std::index_sequence<kIndex...>) {
  return std::array{KeyName{"service", Key::kService, "service=web.service"},
                    KeyName{"comm", Key::kComm, "comm=nginx"},
                    KeyName{"role", Key::kRole, "role=server"},
                    KeyName{"port", Key::kPort, "port=443", kMostPort},
                    KeyName{"netns", Key::kNetns, "netns=host"},
                    KeyName{"pid", Key::kPid, "pid=812", kMostPid},
                    amount("live", live),
                    amount("created/s", created_per_s),
                    amount("created_per_s", created_per_s),
                    amount("overflow/s", overflow_per_s),
                    amount("overflow_per_s", overflow_per_s),
                    amount(model::kCountNames[kIndex].name, count<kIndex>)...};
}
/// Labels allow only the keys before "pid".
constexpr std::size_t kLabels = 5;
constexpr auto kKeys = make_keys(std::make_index_sequence<model::kCountNames.size()>());

std::span<const KeyName> keys_of(Grammar grammar) {
  return std::span(kKeys).first(grammar == Grammar::kLabels ? kLabels : kKeys.size());
}

/// The name of a key in messages.
const char* noun(Grammar grammar) { return grammar == Grammar::kLabels ? "label" : "name"; }

std::string expected_key(std::string_view typed, Grammar grammar) {
  std::vector<std::string_view> names;
  for (const KeyName& known : keys_of(grammar)) names.push_back(known.name);
  return base::expected_one_of(typed, names);
}

/// Null if the grammar has no such key.
const KeyName* key_called(std::string_view name, Grammar grammar) {
  for (const KeyName& known : keys_of(grammar)) {
    if (equal_ignoring_case(name, known.name)) return &known;
  }
  return nullptr;
}

/// Takes the title of a column for its name: people type what they see. kUsage if the grammar has no such key.
base::Result<const KeyName*> find_key(std::string_view typed, Grammar grammar) {
  const KeyName* known = key_called(typed, grammar);
  if (const Column* const column = column_titled(typed); known == nullptr && column != nullptr) {
    known = key_called(column->name, grammar);
  }
  if (known != nullptr) return known;
  return base::fail(base::ErrorCode::kUsage, fmt::format("unknown {} \"{}\"", noun(grammar), typed),
                    expected_key(typed, grammar));
}

tl::unexpected<base::Error> refuse(std::string what, std::string hint) {
  return base::fail(base::ErrorCode::kUsage, std::move(what), std::move(hint));
}

/// `id:N`, a value of netns; empty if it is something else.
base::Result<std::optional<std::uint32_t>> netns_id(std::string_view value) {
  constexpr std::string_view kPrefix = "id:";
  if (!equal_ignoring_case(value.substr(0, kPrefix.size()), kPrefix)) return std::optional<std::uint32_t>();
  value.remove_prefix(kPrefix.size());
  std::uint32_t id = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), id);
  if (error == std::errc() && end == value.data() + value.size()) return std::optional(id);
  return refuse(fmt::format("\"id:{}\" is not the id of a network namespace", value),
                "a number follows id:, netns_id in JSON, as in id:3");
}

/// kUsage for a text that is too long for a pattern.
base::Result<void> check_length(std::string_view text) {
  if (text.size() <= Pattern::kLongest) return {};
  return refuse(fmt::format("a text of {} bytes is too long, {} bytes at most can be compared with names", text.size(),
                            Pattern::kLongest),
                "give a part of the name");
}

base::Result<Term> name_term(const KeyName& key, Op op, std::string_view value) {
  if (auto clean = check_blanks(value); !clean) return tl::unexpected(clean.error());
  if (auto fits = check_length(value); !fits) return tl::unexpected(fits.error());
  if (op != Op::kMatch && op != Op::kEqual && op != Op::kNotEqual) {
    return refuse(fmt::format("{} is not a number: {} makes no sense", key.name, to_string(op)),
                  fmt::format("expected {0}=, {0}== or {0}!=", key.name));
  }
  Term term;
  term.key = key.key;
  term.op = op;
  term.pattern = op == Op::kEqual ? Pattern::whole(value) : Pattern(value);
  if (key.key == Key::kNetns) {
    const auto id = netns_id(value);
    if (!id) return tl::unexpected(id.error());
    term.netns_id = *id;
  }
  if (key.key != Key::kRole) return term;
  for (const model::Role role : {model::Role::kServer, model::Role::kClient}) {
    const std::string_view name = to_string(role);
    if (!equal_ignoring_case(value, name.substr(0, value.size()))) continue;
    term.pattern = Pattern::whole(name);
    return term;
  }
  return refuse(fmt::format("unknown role \"{}\"", value), "expected server or client");
}

/// Digits, with a fraction for an amount.
std::optional<double> number_of(std::string_view text, bool with_fraction) {
  const std::size_t point = with_fraction ? std::min(text.find('.'), text.size()) : text.size();
  const auto is_digits = [](std::string_view part) {
    return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (!is_digits(text.substr(0, point))) return std::nullopt;
  if (point != text.size() && !is_digits(text.substr(point + 1))) return std::nullopt;
  double number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc()) return std::nullopt;
  return number;
}

base::Result<Term> number_term(const KeyName& key, Op op, std::string_view value) {
  const std::optional<double> number = number_of(value, key.key == Key::kAmount);
  const double least = key.key == Key::kAmount ? 0 : 1;
  if (!number || *number < least || *number > key.most) {
    if (key.key == Key::kPort) {
      return refuse(fmt::format("\"{}\" is not a port number", value), "give a whole number from 1 to 65535");
    }
    return refuse(fmt::format("\"{}\" is not a number that {} can be compared with", value, key.name),
                  fmt::format("digits only, as in {}", key.example));
  }
  Term term;
  term.key = key.key;
  term.op = op;
  term.number = *number;
  term.amount = key.amount;
  return term;
}

base::Result<Term> make_term(const KeyName& key, Op op, std::string_view value) {
  if (value.empty()) {
    return refuse(fmt::format("expected a value after {}{}", key.name, to_string(op)),
                  fmt::format("for example {}", key.example));
  }
  return key.most == 0 ? name_term(key, op, value) : number_term(key, op, value);
}

/// "port=443" for ":443" and for "port:443", which no name and no address is; else empty.
std::string without_colon(std::string_view word) {
  const std::size_t colon = word.find(':');
  if (colon == std::string_view::npos) return {};
  const std::string_view value = word.substr(colon + 1);
  if (value.empty() || value.find(':') != std::string_view::npos) return {};
  if (colon == 0) return number_of(value, false) ? fmt::format("port={}", value) : std::string();
  const KeyName* const key = key_called(word.substr(0, colon), Grammar::kFilter);
  return key == nullptr ? std::string() : fmt::format("{}={}", key->name, value);
}

class Parser {
 public:
  Parser(std::string_view text, Grammar grammar) : text_(text), grammar_(grammar) {}

  tl::expected<Selector, SelectorError> parse() {
    Selector selector;
    skip_blanks();
    bool more = grammar_ == Grammar::kLabels;  // at least one label
    while (more || at_ != text_.size()) {
      if (selector.terms().size() == kMostTerms) {
        return fail(at_, fmt::format("there are more than {} terms", kMostTerms),
                    "a pattern such as web-* takes many names");
      }
      auto next = term();
      if (!next) return tl::unexpected(next.error());
      selector.add(std::move(*next));
      const std::size_t end = at_;
      skip_blanks();
      more = rest().starts_with(',');
      if (more) {
        ++at_;
        skip_blanks();
      } else if (at_ == end && at_ != text_.size()) {
        return fail(at_, "a quote can only begin a value", kQuote);
      }
    }
    return selector;
  }

 private:
  static constexpr const char* kQuote = "put the whole value in double quotes, as in service=\"a b\"";

  static tl::unexpected<SelectorError> fail(std::size_t at, std::string what, std::string hint) {
    return tl::unexpected(SelectorError{at, std::move(what), std::move(hint)});
  }

  static tl::unexpected<SelectorError> fail(std::size_t at, const base::Error& error) {
    return fail(at, error.what, error.hint);
  }

  std::string_view rest() const { return text_.substr(at_); }
  void skip_blanks() { at_ = std::min(text_.find_first_not_of(kBlanks, at_), text_.size()); }

  /// Up to a blank, a comma, a quote or an operator.
  std::string_view word() {
    const std::size_t begin = at_;
    while (at_ != text_.size() && std::string_view(" \t,\"").find(text_[at_]) == std::string_view::npos &&
           leading_operator(rest()) == nullptr) {
      ++at_;
    }
    return text_.substr(begin, at_ - begin);
  }

  /// In double quotes, or up to a blank, a comma or a quote.
  tl::expected<std::string_view, SelectorError> value() {
    const std::size_t begin = at_;
    if (rest().starts_with('"')) {
      const std::size_t end = text_.find('"', begin + 1);
      if (end == std::string_view::npos) return fail(begin, "this quote is never closed", kQuote);
      at_ = end + 1;
      return text_.substr(begin + 1, end - begin - 1);
    }
    at_ = std::min(text_.find_first_of(" \t,\"", at_), text_.size());
    return text_.substr(begin, at_ - begin);
  }

  tl::expected<Term, SelectorError> term() {
    const std::size_t begin = at_;
    if (grammar_ == Grammar::kFilter && rest().starts_with('"')) return quoted_word();
    const std::string_view name = word();
    const std::size_t name_end = at_;
    skip_blanks();
    const Operator* const op = leading_operator(rest());
    if (op == nullptr) {
      at_ = name_end;
      if (const std::string meant = without_colon(name); grammar_ == Grammar::kFilter && !meant.empty()) {
        return fail(begin, fmt::format("\"{}\" is not a comparison", name),
                    fmt::format("did you mean {}? a name that has a colon goes into quotes", meant));
      }
      return plain_word(begin, name);
    }
    if (name.empty()) {
      return fail(begin, fmt::format("expected a {} before {}", noun(grammar_), op->text), expected_key({}, grammar_));
    }
    const auto key = find_key(name, grammar_);
    if (!key) return fail(begin, key.error());
    at_ += op->text.size();
    skip_blanks();
    const std::size_t value_at = at_;
    const auto text = value();
    if (!text) return tl::unexpected(text.error());
    auto made = make_term(**key, op->op, *text);
    if (!made) return fail(value_at, made.error());
    made->at = begin;
    return std::move(*made);
  }

  tl::expected<Term, SelectorError> quoted_word() {
    const std::size_t begin = at_;
    const auto text = value();
    if (!text) return tl::unexpected(text.error());
    return plain_word(begin, *text);
  }

  tl::expected<Term, SelectorError> plain_word(std::size_t begin, std::string_view text) {
    if (text.empty()) {
      return fail(begin, fmt::format("expected a {}", noun(grammar_)), expected_key({}, grammar_));
    }
    if (grammar_ == Grammar::kLabels) {
      const std::string_view name = text.substr(0, text.find_first_of("~!:(["));
      return fail(begin + name.size(), fmt::format("expected = after {}", name),
                  fmt::format("{}=VALUE; {}", name, kQuote));
    }
    if (const auto fits = check_length(text); !fits) return fail(begin, fits.error());
    Term term;
    term.pattern = Pattern(text);
    term.at = begin;
    return term;
  }

  std::string_view text_;
  Grammar grammar_;
  std::size_t at_ = 0;
};

}  // namespace

base::Result<void> check_blanks(std::string_view name) {
  constexpr std::string_view kAllBlanks = " \t\n\v\f\r";
  const bool begins = !name.empty() && kAllBlanks.find(name.front()) != std::string_view::npos;
  const bool ends = !name.empty() && kAllBlanks.find(name.back()) != std::string_view::npos;
  if (!begins && !ends) return {};
  return refuse(fmt::format("\"{}\" {} with a blank", name, begins ? "begins" : "ends"),
                "leave the blank out; if the name has one, put ? for it");
}

base::Result<Term> make_term(std::string_view key, Op op, std::string_view value, Grammar grammar) {
  const auto known = find_key(key, grammar);
  if (!known) return tl::unexpected(known.error());
  return make_term(**known, op, value);
}

tl::expected<Selector, SelectorError> parse_selector(std::string_view text, Grammar grammar) {
  return Parser(text, grammar).parse();
}

}  // namespace twtrace::view
