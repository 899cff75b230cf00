// SPDX-License-Identifier: Apache-2.0
#include "app/arguments.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "base/escape.hpp"

namespace twtrace::app {
namespace {

constexpr int kMostWords = 1 << 20;  ///< no command line has more

tl::unexpected<base::Error> usage(std::string what, std::string hint) {
  return base::fail(base::ErrorCode::kUsage, std::move(what), std::move(hint));
}

std::string see_help(const OptionList& list) { return list.title + " --help lists what it takes"; }

/// Whether there is nothing to see: a variable that a shell script did not fill.
bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos; }

const char* nothing(std::string_view text) { return text.empty() ? "empty" : "blank"; }

/// A command may take words, a command line after `--`, or either.
bool takes_only_command(const OptionList& list) { return list.take_command && list.words.empty(); }

/// Checks what CLI11 would misread: it takes the next argument for the value of "--name=", and accepts a value in
/// "--flag=value".
std::optional<base::Error> misplaced_equals(const OptionList& list, const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (argument == "--") break;
    const std::size_t equals = argument.find('=');
    if (argument.rfind("--", 0) != 0 || equals == std::string::npos) continue;
    const OptionList::Option* option = list.find(argument.substr(0, equals));
    if (option == nullptr) continue;
    if (option->is_flag()) return usage(option->name() + " takes no value", "leave out what follows it").value();
    if (equals + 1 == argument.size()) {
      return usage(option->name() + ": the value is empty", "give " + option->value + ", or leave the option out")
          .value();
    }
  }
  return std::nullopt;
}

/// CLI11 gives an option whatever follows it. So an option without a value is the last argument: "-d", "--delay" or
/// "-bd".
base::Error missing_value(const OptionList& list, const std::string& last) {
  const OptionList::Option* option = list.find(last);
  if (option == nullptr && !last.empty()) option = list.find(std::string("-") + last.back());
  if (option == nullptr) return usage(last + ": the value is missing", see_help(list)).value();
  return usage(option->name() + ": the value is missing", "give " + option->value).value();
}

/// The list as CLI11 sees it.
class Parser {
 public:
  explicit Parser(const OptionList& list) {
    app_.set_help_flag();
    app_.allow_extras();
    for (std::size_t i = 0; i < list.options.size(); ++i) {
      const OptionList::Option& option = list.options[i];
      CLI::Option* known = option.is_flag() ? app_.add_flag(option.names) : app_.add_option(option.names);
      if (!option.is_flag()) known->expected(1)->allow_extra_args(false);
      known->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
      places_[known] = i;
    }
    if (takes_only_command(list)) {
      app_.prefix_command();
    } else {
      words_ = app_.add_option("words")->expected(kMostWords)->allow_extra_args(false);
      words_->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
  }

  /// False if the last option lacks its value.
  bool parse(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end());
    try {
      app_.parse(std::move(arguments));
    } catch (const CLI::ParseError&) {
      return false;
    }
    return true;
  }

  void collect(Arguments& into) const {
    std::map<const CLI::Option*, std::size_t> taken;
    for (const CLI::Option* option : app_.parse_order()) {
      const std::string& text = option->results()[taken[option]++];
      if (option == words_) {
        into.words.push_back(text);
      } else {
        into.values.push_back({places_.at(option), text});
      }
    }
    bool only_words = false;  // after the first word, if a command follows
    for (const std::string& rest : app_.remaining()) {
      if (rest == "--" && !only_words) continue;
      only_words = only_words || (words_ == nullptr && (rest.size() < 2 || rest.front() != '-'));
      (only_words ? into.words : into.unknown).push_back(rest);
    }
  }

 private:
  CLI::App app_;
  CLI::Option* words_ = nullptr;
  std::map<const CLI::Option*, std::size_t> places_;  ///< in OptionList::options
};

base::Result<void> apply_values(const OptionList& list, const std::vector<Arguments::Value>& values) {
  std::set<std::size_t> seen;
  for (const Arguments::Value& value : values) {
    const OptionList::Option& option = list.options[value.option];
    if (!seen.insert(value.option).second && option.repeat == OptionList::Repeat::kRefused) {
      return usage(option.name() + " is given twice", "give it once");
    }
    if (!option.is_flag() && is_blank(value.text)) {
      return usage(fmt::format("{}: the value is {}", option.name(), nothing(value.text)),
                   "give " + option.value + ", or leave the option out");
    }
    if (auto taken = option.take(value.text); !taken) return base::prepend(taken.error(), option.name());
  }
  return {};
}

base::Result<void> apply_words(const OptionList& list, const std::vector<std::string>& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const OptionList::Word* word = list.word_at(i);
    if (word == nullptr) return usage(fmt::format("unexpected argument \"{}\"", words[i]), see_help(list));
    if (is_blank(words[i])) return usage(fmt::format("{} is {}", word->name, nothing(words[i])), see_help(list));
    if (auto taken = word->take(words[i]); !taken) return base::prepend(taken.error(), word->name);
  }
  for (std::size_t i = words.size(); i < list.words.size(); ++i) {
    const std::string& name = list.words[i].name;
    if (list.words[i].required) return usage(name + " is missing", fmt::format("type {} {}", list.title, name));
  }
  return {};
}

/// The user meant a command, so the hint shows the whole line to type instead.
base::Result<void> refuse_words_before_command(const OptionList& list, const Arguments& arguments) {
  const std::string& first = arguments.words.front();
  if (arguments.command) return usage(fmt::format("unexpected argument \"{}\"", first), see_help(list));
  std::string line = list.title;
  const std::size_t own = arguments.all.size() - arguments.words.size();
  for (std::size_t i = 0; i < arguments.all.size(); ++i) {
    line += (i == own ? " -- " : " ") + base::shell_word(arguments.all[i]);
  }
  return usage(fmt::format("unexpected argument \"{}\"", first), "to run it, type: " + line);
}

}  // namespace

Arguments take_apart(const OptionList& list, std::vector<std::string> arguments) {
  Arguments result;
  result.all = arguments;
  const auto separator = std::find(arguments.begin(), arguments.end(), "--");
  if (list.take_command && separator != arguments.end()) {
    result.command.emplace(std::next(separator), arguments.end());
    arguments.erase(separator, arguments.end());
  }
  result.error = misplaced_equals(list, arguments);
  const std::string last = arguments.empty() ? std::string() : arguments.back();
  Parser parser(list);
  if (!parser.parse(std::move(arguments)) && !result.error) result.error = missing_value(list, last);
  parser.collect(result);
  return result;
}

base::Result<void> apply(const OptionList& list, const Arguments& arguments) {
  const bool has_stray_command = takes_only_command(list) && !arguments.words.empty();
  if (arguments.error && !has_stray_command) return tl::unexpected(*arguments.error);
  if (auto applied = apply_values(list, arguments.values); !applied) return applied;
  if (list.answer) return {};  // with --help, the rest may be wrong
  if (has_stray_command) return refuse_words_before_command(list, arguments);
  if (auto applied = apply_words(list, arguments.words); !applied) return applied;
  if (arguments.command) {
    if (auto taken = list.take_command(*arguments.command); !taken) return taken;
  }
  for (const auto& check : list.checks) {
    if (auto usable = check(); !usable) return usable;
  }
  return {};
}

}  // namespace twtrace::app
