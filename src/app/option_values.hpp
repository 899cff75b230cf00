// SPDX-License-Identifier: Apache-2.0
// The values of options. Each function returns a function that turns typed text into a value. The variable must outlive
// it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/option_list.hpp"
#include "base/result.hpp"

namespace twtrace::app {

/// kUsage unless the text is a whole number, in digits only, from `least` to `most`.
base::Result<std::uint64_t> parse_whole_number(std::string_view text, std::uint64_t least, std::uint64_t most);

/// kUsage unless the text is a number of seconds from `least` to `most`.
base::Result<double> parse_seconds(std::string_view text, double least, double most);

/// kUsage unless the text is a number of percent, not negative, with or without `%`.
base::Result<double> parse_percent(std::string_view text);

/// The index of `text` among the names, or kUsage with the nearest name and all names.
base::Result<std::size_t> parse_name(std::string_view text, const std::vector<std::string_view>& names);

/// A value with its name on the command line.
template <class Value>
struct Named {
  std::string_view name;
  Value value;
};

/// Puts the result of `parse` into `variable`.
template <class Variable, class Parse>
Take take_parsed(Variable& variable, Parse parse) {
  return [&variable, parse](const std::string& typed) -> base::Result<void> {
    auto value = parse(typed);
    if (!value) return tl::unexpected(value.error());
    variable = static_cast<Variable>(*value);
    return {};
  };
}

inline Take text(std::string& variable) {
  return take_parsed(variable, [](const std::string& typed) { return base::Result<std::string>(typed); });
}
inline Take text(std::optional<std::string>& variable) {
  return take_parsed(variable, [](const std::string& typed) { return base::Result<std::string>(typed); });
}

/// The path of a file, as text.
inline Take file(std::string& variable) {
  Take take = text(variable);
  take.is_file = true;
  return take;
}

/// Takes the path of every file.
inline Take files(std::vector<std::string>& variable) {
  Take take = [&variable](const std::string& typed) {
    variable.push_back(typed);
    return base::Result<void>();
  };
  take.is_file = true;
  return take;
}

template <class Variable>
Take whole_number(Variable& variable, std::uint64_t least, std::uint64_t most) {
  return take_parsed(variable,
                     [least, most](const std::string& typed) { return parse_whole_number(typed, least, most); });
}

template <class Variable>
Take seconds(Variable& variable, double least, double most) {
  return take_parsed(variable, [least, most](const std::string& typed) { return parse_seconds(typed, least, most); });
}

template <class Variable>
Take percent(Variable& variable) {
  return take_parsed(variable, [](const std::string& typed) { return parse_percent(typed); });
}

/// Takes one of the names.
template <class Variable>
Take one_of(Variable& variable, std::vector<Named<Variable>> known) {
  std::vector<std::string> all;
  all.reserve(known.size());
  for (const auto& choice : known) all.emplace_back(choice.name);
  Take take = take_parsed(variable, [known = std::move(known)](const std::string& typed) -> base::Result<Variable> {
    std::vector<std::string_view> names;
    for (const auto& choice : known) names.push_back(choice.name);
    const auto place = parse_name(typed, names);
    if (!place) return tl::unexpected(place.error());
    return known[*place].value;
  });
  take.names = std::move(all);
  return take;
}

}  // namespace twtrace::app
