// SPDX-License-Identifier: Apache-2.0
// People type budgets, and pipelines generate them. So they may be any bytes.
#include "report/budget.hpp"

#include <cmath>

#include "target.hpp"

namespace twtrace::fuzz {
namespace {

void run(Bytes bytes) {
  const auto budget = report::parse_budget(text(bytes));
  if (!budget) {
    require(!budget.error().what.empty() && !budget.error().hint.empty(), "a refusal says why and what to do");
    return;
  }
  require(budget->text == text(bytes), "a budget keeps its text");
  require(std::isfinite(budget->value) && budget->value >= 0, "a number is a number");
  const report::MetricInfo& metric = report::info(budget->metric);
  require(!budget->percent || metric.percent_of != nullptr, "percent only where it is a share");
  const bool by_owner = !budget->selector.without(view::Key::kNetns).empty();
  require(!by_owner || metric.labels == report::Labels::kAll, "labels only where they are known");
  require(!budget->selector.accepts(view::subject_of(model::Row{})) || budget->selector.empty(),
          "nothing is known of an empty row");
}

}  // namespace

Target budget_target() {
  return {"budget",
          run,
          {"overflow>0", "in_use_peak>80%", "created{service=web.service}>1000", "created_ratio>3",
           " created { service = \"a, {b}\" , comm=ng*,role=client,port=6379 , netns= blue } >= 1.5 % "},
          50'000};
}

}  // namespace twtrace::fuzz
