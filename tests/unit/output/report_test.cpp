// SPDX-License-Identifier: Apache-2.0
// Reports of a recorded deploy, compared with those in golden/. $TWTRACE_UPDATE_GOLDEN=1 writes them anew.
#include <catch2/catch.hpp>

#include "output/report_text.hpp"
#include "support/deploy.hpp"
#include "support/golden.hpp"

using namespace twtrace;

namespace {

report::Report report_of(test::HandMade& recording, std::initializer_list<const char*> budgets = {}) {
  std::vector<report::Budget> parsed;
  for (const char* text : budgets) parsed.push_back(report::parse_budget(text).value());
  return report::build_report(recording, parsed).value();
}

report::Report deploy_report() {
  return report_of(*test::deploy(), {"overflow>0", "in_use_peak>80%", "created{service=web.service}>100000",
                                     "created_ratio>3", "missed>0"});
}

}  // namespace

TEST_CASE("golden reports of a deploy") {
  const report::Report report = deploy_report();
  test::check_golden("output/golden/deploy.txt", output::report_text(report, output::Color::kNever));
}
