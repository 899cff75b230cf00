// SPDX-License-Identifier: Apache-2.0
#include "view/row_filter.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace twtrace::view {
namespace {

/// What can be looked for in a row or an event.
struct Haystack {
  std::string pid;      ///< as it is shown
  std::string made_of;  ///< the pid that `pid=` has to name
  std::string comm;
  std::string service;
  std::string port;
  std::string role;
  std::string netns;
  std::string netns_name;
  std::string address;
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) { return lower(c); });
  return result;
}

template <class T>
std::string digits(const std::optional<T>& value) {
  return value ? std::to_string(*value) : std::string();
}

/// Everything that a service may be looked for by, in lines.
std::string searched(const base::Service& service, const std::string& label) {
  std::string text = service.name;
  for (const std::string* more : {&label, &service.container, &service.pod.name, &service.pod.uid}) {
    if (!more->empty()) (text += '\n') += *more;
  }
  return text;
}

Haystack haystack(const model::Row& row) {
  Haystack hay;
  if (row.kind != model::RowKind::kNormal) hay.comm = row.kind == model::RowKind::kOther ? "(other)" : "(unattributed)";
  if (row.process) {
    hay.pid = digits(row.process->pid);
    hay.comm = lower(row.process->comm);
  }
  if (row.service) hay.service = lower(searched(*row.service, row.service_label));
  hay.port = digits(row.port);
  if (row.role) hay.role = to_string(*row.role);
  hay.netns = digits(row.netns);
  hay.netns_name = lower(row.netns_name);
  if (row.peer) hay.address = row.peer->address;
  return hay;
}

Haystack haystack(const model::Event& event) {
  Haystack hay;
  if (event.process) {
    hay.pid = hay.made_of = digits(event.process->pid);
    hay.comm = lower(event.process->comm);
  }
  hay.service = lower(searched(event.service, {}));
  hay.port = digits(event.port);
  if (event.role) hay.role = to_string(*event.role);
  hay.netns = digits(event.netns);
  hay.netns_name = lower(event.netns_name);
  hay.address = event.local_address + ' ' + event.remote_address + ' ' + to_string(event.kind);
  return hay;
}

bool contains(const std::string& text, const std::string& word) { return text.find(word) != std::string::npos; }

bool contains_anywhere(const Haystack& hay, const std::string& word) {
  const auto fields = {&hay.pid,  &hay.comm,  &hay.service,    &hay.port,
                       &hay.role, &hay.netns, &hay.netns_name, &hay.address};
  return std::any_of(fields.begin(), fields.end(), [&](const std::string* text) { return contains(*text, word); });
}

}  // namespace

RowFilter::RowFilter(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end != 0) words_.push_back(parse(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

RowFilter::Word RowFilter::parse(std::string_view word) {
  struct Prefix {
    std::string_view text;
    Field field;
  };
  constexpr Prefix kPrefixes[] = {{"pid=", Field::kPid},   {"comm=", Field::kComm}, {"service=", Field::kService},
                                  {"port=", Field::kPort}, {"role=", Field::kRole}, {"netns=", Field::kNetns}};
  for (const Prefix& prefix : kPrefixes) {
    if (word.starts_with(prefix.text)) return {prefix.field, lower(word.substr(prefix.text.size()))};
  }
  return {Field::kAny, lower(word)};
}

std::optional<std::uint32_t> RowFilter::pid() const {
  for (const Word& word : words_) {
    std::uint32_t value = 0;
    const char* end = word.text.data() + word.text.size();
    if (word.field != Field::kPid || std::from_chars(word.text.data(), end, value).ptr != end) continue;
    if (value != 0 && std::to_string(value) == word.text) return value;
  }
  return std::nullopt;
}

namespace {

template <class Field>
bool matches(const Haystack& hay, Field field, const std::string& word) {
  switch (field) {
    case Field::kAny:
      return contains_anywhere(hay, word);
    case Field::kPid:
      return word.empty() || hay.made_of == word;
    case Field::kComm:
      return contains(hay.comm, word);
    case Field::kService:
      return contains(hay.service, word);
    case Field::kPort:
      return word.empty() || hay.port == word;
    case Field::kRole:
      return hay.role.starts_with(word);
    case Field::kNetns:
      return contains(hay.netns_name, word) || hay.netns == word;
  }
  return false;
}

}  // namespace

bool RowFilter::accepts(const model::Row& row) const {
  if (words_.empty()) return true;
  Haystack hay = haystack(row);
  hay.made_of = digits(pid());  // build_rows has been given it: its rows are made of that process alone
  return std::all_of(words_.begin(), words_.end(),
                     [&](const Word& word) { return matches(hay, word.field, word.text); });
}

bool RowFilter::accepts(const model::Event& event) const {
  if (words_.empty()) return true;
  const Haystack hay = haystack(event);
  return std::all_of(words_.begin(), words_.end(),
                     [&](const Word& word) { return matches(hay, word.field, word.text); });
}

}  // namespace twtrace::view
