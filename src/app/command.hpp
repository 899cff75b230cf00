// SPDX-License-Identifier: Apache-2.0
// Defines a command.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "app/command_process.hpp"
#include "app/option_list.hpp"
#include "base/result.hpp"

namespace twtrace::app {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitUnsupported = 77;
inline constexpr int kExitBreached = 99;  ///< a --fail-if budget

/// Runs a command whose options have been read. Returns the exit code: one of those above, or that of the captured
/// command.
using Run = std::function<base::Result<int>(const Inherited& inherited)>;

/// One command of the command line.
struct Command {
  std::string_view name;
  std::string_view about;  ///< what the command does: "compare two captures"
  /// Declares the options. The result uses their values at the time when it is called.
  Run (*prepare)(OptionList& list);
};

/// The `prepare` of a command whose options are the members of `Task`. `declare(OptionList&)` declares them. `run()`
/// runs the command, or `run(const Inherited&)` if it needs what twtrace was started with.
template <class Task>
Run prepare(OptionList& list) {
  auto task = std::make_shared<Task>();
  task->declare(list);
  return [task](const Inherited& inherited) -> base::Result<int> {
    if constexpr (requires { task->run(inherited); }) {
      return task->run(inherited);
    } else {
      return task->run();
    }
  };
}

}  // namespace twtrace::app
