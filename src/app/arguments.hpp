// SPDX-License-Identifier: Apache-2.0
// From typed arguments to values. arguments.cpp is the only user of CLI11, which takes the arguments apart.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "app/option_list.hpp"
#include "base/result.hpp"

namespace twtrace::app {

/// Arguments, taken apart by what an OptionList says of them.
struct Arguments {
  struct Value {
    std::size_t option = 0;  ///< index in OptionList::options
    std::string text;        ///< empty for a flag
  };

  std::vector<std::string> all;      ///< as typed
  std::vector<Value> values;         ///< in the order typed
  std::vector<std::string> words;    ///< neither an option nor the value of one
  std::vector<std::string> unknown;  ///< what looks like an option and is none of the list
  std::optional<base::Error> error;  ///< what else is wrong
  /// What follows `--`, where the list has take_command.
  std::optional<std::vector<std::string>> command;
};

/// Never fails: what is wrong is in the result, so that the caller can look at the rest first.
Arguments take_apart(const OptionList& list, std::vector<std::string> arguments);

/// Hands every value to its option, in the order typed, then the words and the command; then runs the checks. With an
/// answer (OptionList::answer) it stops after the options. kUsage names the option or word that is wrong. Unknown
/// options are for the caller.
base::Result<void> apply(const OptionList& list, const Arguments& arguments);

}  // namespace twtrace::app
