// SPDX-License-Identifier: Apache-2.0
// The options of one command, as the command declares them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace twtrace::app {

/// Takes one value as it was typed, which is never empty. An error says what is wrong with the value; whoever calls it
/// puts the option's name in front.
using Take = std::function<base::Result<void>(const std::string& typed)>;

/// What follows `--`: a command line that is not twtrace's.
using TakeCommand = std::function<base::Result<void>(const std::vector<std::string>& argv)>;

/// Everything that a command takes, in the order in which its help lists it. Plain data: arguments.hpp reads a command
/// line by it, help_text.hpp explains it. The functions in it refer to the command's own variables, which must outlive
/// it.
struct OptionList {
  enum class Repeat { kAllowed, kRefused };

  struct Option {
    std::string section;  ///< of the help
    std::string names;    ///< "-d,--delay"
    std::string value;    ///< what follows it, for the help ("SECONDS"); empty: nothing, it is a flag
    std::string about;
    Take take;
    Repeat repeat = Repeat::kAllowed;

    bool is_flag() const { return value.empty(); }
    /// The long name where there is one: "--delay".
    std::string name() const;
    /// Whether it is called so: "-d" or "--delay".
    bool is_called(std::string_view name) const;
  };

  /// An argument without a dash, by its place.
  struct Word {
    std::string name;  ///< for the help and errors: "FILE"
    std::string about;
    Take take;
    bool required = false;
  };

  explicit OptionList(std::string command) : title(std::move(command)) {}

  /// What is declared next stands under this line of the help.
  void section(std::string name) { current_section = std::move(name); }
  void flag(std::string names, std::string about, std::function<void()> set);
  void flag(std::string names, std::string about, bool& value);
  /// An option with a value. Where it may be repeated `take` gets every value, so the last one wins, or they add up.
  void option(std::string names, std::string value, std::string about, Take take, Repeat repeat = Repeat::kAllowed);
  void word(std::string name, std::string about, Take take);
  void required_word(std::string name, std::string about, Take take);
  /// Called when all is taken: what no single option can tell.
  void check(std::function<base::Result<void>()> whether_usable) { checks.push_back(std::move(whether_usable)); }

  const Option* find(std::string_view name) const;

  std::string title;  ///< "twtrace events"
  std::vector<Option> options;
  std::vector<Word> words;
  std::vector<std::function<base::Result<void>()>> checks;
  TakeCommand take_command;           ///< empty: this command starts no other
  std::vector<std::string> notes;     ///< below the help
  std::optional<std::string> answer;  ///< set by an option such as --help: to be printed, and nothing else done
  std::string current_section;
};

}  // namespace twtrace::app
