// SPDX-License-Identifier: Apache-2.0
// A running trace as a table: what `twtrace top` is, and `twtrace demo` shows.
#pragma once

#include <functional>

#include "app/option_groups.hpp"
#include "base/result.hpp"

namespace twtrace::app {

struct TableWatch {
  TableOptions table;
  TracingOptions tracing;

  void declare(OptionList& list);

  /// The live view, or the table once per interval where the user or the terminal wants it so. `when_counting` is
  /// called once, when counting has begun. Returns the exit code.
  base::Result<int> run(const std::function<void()>& when_counting) const;
};

}  // namespace twtrace::app
