// SPDX-License-Identifier: Apache-2.0
// A running trace as a table, for `twtrace top` and `twtrace demo`.
#pragma once

#include <functional>

#include "app/option_groups.hpp"
#include "base/result.hpp"

namespace twtrace::app {

/// The options of such a command, and what it does.
struct TableWatch {
  TableOptions table;
  TracingOptions tracing;

  void declare(OptionList& list);

  /// Runs the live view, or prints the table once per interval if the user or the terminal requires that. Calls
  /// `when_counting` once, when counting has begun. Returns the exit code.
  base::Result<int> run(const std::function<void()>& when_counting) const;
};

}  // namespace twtrace::app
