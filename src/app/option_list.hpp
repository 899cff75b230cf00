// SPDX-License-Identifier: Apache-2.0
// The options of one command, as the command declares them.
#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace twtrace::app {

/// Takes one value as typed, which is never empty. An error says what is wrong with the value. The caller prepends the
/// option's name. For completion, it also knows which values there are.
struct Take {
  using Function = std::function<base::Result<void>(const std::string& typed)>;

  /// Implicit, so that a lambda is a Take of which nothing else is known.
  template <std::invocable<const std::string&> F>
  Take(F take, std::vector<std::string> known = {}) : function(std::move(take)), names(std::move(known)) {}

  base::Result<void> operator()(const std::string& typed) const { return function(typed); }

  Function function;
  std::vector<std::string> names;  ///< all values, or well-known ones; empty if they cannot be listed
  bool is_file = false;            ///< the value is the path of a file
};

/// Takes the command line after `--`.
using TakeCommand = std::function<base::Result<void>(const std::vector<std::string>& argv)>;

/// Everything that a command takes, in the order of its help. Plain data: arguments.hpp uses it to read a command line,
/// help_text.hpp to explain it. Its functions refer to the command's own variables, which must outlive it.
struct OptionList {
  enum class Repeat { kAllowed, kRefused };

  struct Option {
    std::string section;  ///< of the help
    std::string names;    ///< "-d,--delay"
    std::string value;    ///< the name of its value, for the help ("SECONDS"); empty: it is a flag
    std::string about;
    Take take;
    Repeat repeat = Repeat::kAllowed;

    bool is_flag() const { return value.empty(); }
    /// The long name if there is one: "--delay".
    std::string name() const;
    /// {"-d", "--delay"}
    std::vector<std::string> all_names() const;
    /// True for one of its names: "-d" or "--delay".
    bool is_called(std::string_view name) const;
  };

  /// An argument without a dash, identified by its position.
  struct Word {
    std::string name;  ///< for the help and errors: "FILE"
    std::string about;
    Take take;
    bool required = false;
    bool repeated = false;  ///< takes all that follow, too; only the last word of a list can be
  };

  explicit OptionList(std::string command) : title(std::move(command)) {}

  /// Begins a section of the help, for the options declared next.
  void section(std::string name) { current_section = std::move(name); }
  void flag(std::string names, std::string about, std::function<void()> set);
  void flag(std::string names, std::string about, bool& value);
  /// An option with a value. If it is repeated, `take` gets every value, so the last one wins, or they add up.
  void option(std::string names, std::string value, std::string about, Take take, Repeat repeat = Repeat::kAllowed);
  void word(std::string name, std::string about, Take take);
  void required_word(std::string name, std::string about, Take take);
  /// Any number of words. `take` gets each of them.
  void repeated_word(std::string name, std::string about, Take take);
  /// Adds a check that runs after all options, for what no single option can check.
  void check(std::function<base::Result<void>()> whether_usable) { checks.push_back(std::move(whether_usable)); }

  const Option* find(std::string_view name) const;
  /// The word at this place, from 0 on; null if there is none.
  const Word* word_at(std::size_t place) const;

  std::string title;  ///< "twtrace events"
  std::string usage;  ///< the words in the usage line; empty: they follow from `words` and `take_command`
  std::vector<Option> options;
  std::vector<Word> words;
  std::vector<std::function<base::Result<void>()>> checks;
  TakeCommand take_command;           ///< empty: this command does not start another one
  std::vector<std::string> notes;     ///< below the help
  std::optional<std::string> answer;  ///< set by an option such as --help: print this and do nothing else
  std::string current_section;
};

}  // namespace twtrace::app
