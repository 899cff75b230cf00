// SPDX-License-Identifier: Apache-2.0
#include "app/option_list.hpp"

#include <utility>

namespace twtrace::app {
namespace {

/// "-d,--delay" around its comma.
std::pair<std::string_view, std::string_view> split(std::string_view names) {
  const std::size_t comma = names.find(',');
  if (comma == std::string_view::npos) return {names, {}};
  return {names.substr(0, comma), names.substr(comma + 1)};
}

}  // namespace

std::string OptionList::Option::name() const {
  const auto [first, second] = split(names);
  return std::string(second.empty() ? first : second);
}

std::vector<std::string> OptionList::Option::all_names() const {
  const auto [first, second] = split(names);
  std::vector<std::string> all = {std::string(first)};
  if (!second.empty()) all.emplace_back(second);
  return all;
}

bool OptionList::Option::is_called(std::string_view name) const {
  const auto [first, second] = split(names);
  return !name.empty() && (name == first || name == second);
}

void OptionList::flag(std::string names, std::string about, std::function<void()> set) {
  options.push_back(
      {current_section, std::move(names), "", std::move(about), [set = std::move(set)](const std::string&) {
         set();
         return base::Result<void>();
       }});
}

void OptionList::flag(std::string names, std::string about, bool& value) {
  flag(std::move(names), std::move(about), [&value] { value = true; });
}

void OptionList::option(std::string names, std::string value, std::string about, Take take, Repeat repeat) {
  options.push_back({current_section, std::move(names), std::move(value), std::move(about), std::move(take), repeat});
}

void OptionList::word(std::string name, std::string about, Take take) {
  words.push_back({std::move(name), std::move(about), std::move(take)});
}

void OptionList::required_word(std::string name, std::string about, Take take) {
  words.push_back({std::move(name), std::move(about), std::move(take), true});
}

void OptionList::repeated_word(std::string name, std::string about, Take take) {
  words.push_back({std::move(name), std::move(about), std::move(take), false, true});
}

const OptionList::Word* OptionList::word_at(std::size_t place) const {
  if (place < words.size()) return &words[place];
  return !words.empty() && words.back().repeated ? &words.back() : nullptr;
}

const OptionList::Option* OptionList::find(std::string_view name) const {
  for (const Option& option : options) {
    if (option.is_called(name)) return &option;
  }
  return nullptr;
}

}  // namespace twtrace::app
