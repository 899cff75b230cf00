// SPDX-License-Identifier: Apache-2.0
#include "view/selector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "view/columns.hpp"
#include "view/service_names.hpp"

namespace twtrace::view {
namespace {

/// A number as digits, without an allocation.
class Digits {
 public:
  explicit Digits(std::uint32_t number) : end_(std::to_chars(text_.data(), text_.data() + text_.size(), number).ptr) {}
  std::string_view view() const { return {text_.data(), static_cast<std::size_t>(end_ - text_.data())}; }

 private:
  std::array<char, 10> text_{};
  char* end_;
};

template <class Number>
bool is_number(const std::string& text, const std::optional<Number>& number) {
  return number && Digits(*number).view() == text;
}

bool word_found(const Pattern& word, const Subject& in) {
  const auto found = [&](std::string_view text) { return word.matches(text); };
  if (in.kind != model::RowKind::kNormal && found(row_label(in.kind))) return true;
  if (found(in.comm) || (in.service != nullptr && service_matches(word, *in.service))) return true;
  if (found(in.netns_name) || is_number(word.text(), in.netns) || is_number(word.text(), in.pid)) return true;
  if (in.role && found(to_string(*in.role))) return true;
  if (in.port && found(Digits(*in.port).view())) return true;
  return std::any_of(in.words.begin(), in.words.end(), found);
}

/// A condition on a name. `is`: whether the term's pattern matches it.
bool name_holds(const Term& term, bool is_known, bool is) { return is_known && is == (term.op != Op::kNotEqual); }

bool netns_holds(const Term& term, const Subject& of) {
  if (term.netns_id) return name_holds(term, of.netns_id.has_value(), of.netns_id == term.netns_id);
  return name_holds(term, of.netns.has_value(),
                    is_number(term.pattern.text(), of.netns) || term.pattern.matches(of.netns_name));
}

template <class Number>
bool number_holds(const Term& term, const std::optional<Number>& number) {
  return number && holds(static_cast<double>(*number), term.op, term.number);
}

/// Whether a row of this kind stands for one owner, as far as it is known, and not for several.
bool is_somebodys(model::RowKind kind) {
  return kind == model::RowKind::kNormal || kind == model::RowKind::kBeforeStart;
}

}  // namespace

bool holds(const Term& term, const Subject& of) {
  switch (term.key) {
    case Key::kWord:
      return word_found(term.pattern, of);
    case Key::kPid:
      return number_holds(term, of.pid);
    case Key::kComm:
      return name_holds(term, !of.comm.empty(), term.pattern.matches(of.comm));
    case Key::kService:
      return of.service != nullptr && !of.service->name.empty() &&
             name_holds(term, true, service_matches(term.pattern, *of.service));
    case Key::kRole:
      return of.role && name_holds(term, true, term.pattern.matches(to_string(*of.role)));
    case Key::kPort:
      return number_holds(term, of.port);
    case Key::kNetns:
      return netns_holds(term, of);
    case Key::kIpVersion:
      return of.ipv6 && view::holds(*of.ipv6 ? 6 : 4, term.op, term.number);
    case Key::kLocalPort:
      return of.matched ? *of.matched : number_holds(term, of.local_port);
    case Key::kRemotePort:
      return of.matched ? *of.matched : number_holds(term, of.remote_port);
    case Key::kAmount:
      return true;
  }
  return false;
}

Subject subject_of(const model::Fact& fact, const model::NetnsInfo& netns) {
  Subject subject;
  subject.kind = fact.kind;
  subject.netns = netns.inum;
  subject.netns_id = netns.id;
  subject.netns_name = netns.name;
  if (!is_somebodys(fact.kind)) return subject;
  const model::Identity& who = fact.identity;
  subject.pid = who.pid;
  subject.comm = who.comm;
  subject.service = &who.service;
  subject.role = who.role;
  subject.port = who.port;
  subject.ipv6 = who.ipv6;
  subject.matched = who.matched;
  if (fact.peer != nullptr) subject.words = {fact.peer->address};
  return subject;
}

Subject subject_of(const model::Row& row) {
  Subject subject;
  subject.kind = row.kind;
  subject.netns = row.netns;
  subject.netns_id = row.netns_id;
  subject.netns_name = row.netns_name;
  if (!is_somebodys(row.kind)) return subject;
  if (row.process) {
    subject.pid = row.process->pid;
    subject.comm = row.process->comm;
  }
  if (row.service) subject.service = &*row.service;
  subject.role = row.role;
  subject.port = row.port;
  if (row.peer) subject.words = {row.peer->address};
  return subject;
}

Subject subject_of(const model::Event& event) {
  Subject subject;
  if (event.process) {
    subject.pid = event.process->pid;
    subject.comm = event.process->comm;
  }
  subject.service = &event.service;
  subject.role = event.role;
  subject.port = event.port;
  subject.netns = event.netns;
  subject.netns_id = event.netns_id;
  subject.netns_name = event.netns_name;
  subject.ipv6 = event.ipv6;
  subject.local_port = event.local_port;
  subject.remote_port = event.remote_port;
  subject.words = {event.local_address, event.remote_address, to_string(event.kind)};
  return subject;
}

Subject subject_of(const model::Log& log, const model::LogLine& line) {
  Subject subject;
  subject.words = {log.name, line.text ? std::string_view(*line.text) : std::string_view(), "log"};
  return subject;
}

Subject subject_of(const model::NetnsRow& netns) {
  Subject subject;
  subject.netns = netns.netns;
  subject.netns_id = netns.id;
  subject.netns_name = netns.name;
  return subject;
}

Term Term::equal(Key key, double number) {
  Term term;
  term.key = key;
  term.op = Op::kEqual;
  term.number = number;
  return term;
}

Term netns_term(std::uint32_t id) {
  Term term;
  term.key = Key::kNetns;
  term.op = Op::kEqual;
  term.netns_id = id;
  return term;
}

base::Result<void> check_unambiguous(const Selector& selector, const std::vector<model::NetnsName>& namespaces) {
  constexpr std::size_t kListed = 4;
  for (const Term& term : selector.terms()) {
    if (term.key != Key::kNetns || term.op == Op::kNotEqual || term.netns_id) continue;
    std::size_t fits = 0;
    bool by_name = false;
    std::string list;
    for (const model::NetnsName& netns : namespaces) {
      const bool named = term.op == Op::kEqual && term.pattern.matches(netns.name);
      if (!named && !is_number(term.pattern.text(), std::optional(netns.inum))) continue;
      by_name = by_name || named;
      if (++fits > kListed) continue;
      list += fmt::format("{}id:{} ({})", fits == 1 ? "" : ", ", netns.id,
                          named || netns.name.empty() ? std::to_string(netns.inum) : netns.name);
    }
    if (fits < 2) continue;
    if (fits > kListed) list += fmt::format(" and {} more", fits - kListed);
    return base::fail(base::ErrorCode::kUsage,
                      fmt::format("{} network namespaces had the {} \"{}\", one after another", fits,
                                  by_name ? "name" : "inode number", term.pattern.text()),
                      "type the id of one of them: " + list);
  }
  return {};
}

bool Selector::asks(Key key) const {
  return std::any_of(terms_.begin(), terms_.end(), [key](const Term& term) { return term.key == key; });
}

Selector Selector::only(Key key) const {
  Selector part = *this;
  std::erase_if(part.terms_, [key](const Term& term) { return term.key != key; });
  return part;
}

Selector Selector::without(Key key) const {
  Selector part = *this;
  std::erase_if(part.terms_, [key](const Term& term) { return term.key == key; });
  return part;
}

bool Selector::accepts(const Subject& subject) const {
  return std::all_of(terms_.begin(), terms_.end(), [&](const Term& term) { return holds(term, subject); });
}

bool Selector::accepts(const Amounts& amounts) const {
  return std::all_of(terms_.begin(), terms_.end(), [&](const Term& term) {
    if (term.key != Key::kAmount) return true;
    const std::optional<double> amount = term.amount(amounts);
    return amount && view::holds(*amount, term.op, term.number);
  });
}

}  // namespace twtrace::view
