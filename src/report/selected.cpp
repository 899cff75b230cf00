// SPDX-License-Identifier: Apache-2.0
#include "report/selected.hpp"

namespace twtrace::report {

bool selected(const Budget& budget, const Owner& owner) { return budget.selector.accepts(view::subject_of(owner.row)); }

bool selected(const Budget& budget, const NetnsReport& netns) {
  return budget.selector.only(view::Key::kNetns).accepts(view::subject_of(netns.last));
}

bool by_owner(const Budget& budget) { return !budget.selector.without(view::Key::kNetns).empty(); }

}  // namespace twtrace::report
