// SPDX-License-Identifier: Apache-2.0
// Turns typed arguments into values. arguments.cpp is the only user of CLI11, which splits the arguments.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "app/option_list.hpp"
#include "base/result.hpp"

namespace twtrace::app {

/// Arguments, split according to an OptionList.
struct Arguments {
  struct Value {
    std::size_t option = 0;  ///< index in OptionList::options
    std::string text;        ///< empty for a flag
  };

  std::vector<std::string> all;      ///< as typed
  std::vector<Value> values;         ///< in the order typed
  std::vector<std::string> words;    ///< neither an option nor the value of one
  std::vector<std::string> unknown;  ///< arguments that look like an option but are not in the list
  std::optional<base::Error> error;  ///< any other mistake
  /// The arguments after `--`, if the list has take_command.
  std::optional<std::vector<std::string>> command;
};

/// Never fails. Mistakes are in the result, so that the caller can look at the rest first.
Arguments take_apart(const OptionList& list, std::vector<std::string> arguments);

/// Gives every value to its option, in the order typed, then the words and the command. Then it runs the checks. If
/// there is an answer (OptionList::answer), it stops after the options. kUsage names the wrong option or word. The
/// caller handles unknown options.
base::Result<void> apply(const OptionList& list, const Arguments& arguments);

}  // namespace twtrace::app
