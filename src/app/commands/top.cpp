// SPDX-License-Identifier: Apache-2.0
// `twtrace [top]`: the live view, or the table once per interval.
#include "app/command.hpp"
#include "app/table_watch.hpp"

namespace twtrace::app {
namespace {

struct Top {
  TableWatch watch;

  void declare(OptionList& list) { watch.declare(list); }
  base::Result<int> run() const {
    return watch.run([] {});
  }
};

}  // namespace

extern const Command kTop = {"top", "show who fills the table (the default command)", prepare<Top>};

}  // namespace twtrace::app
