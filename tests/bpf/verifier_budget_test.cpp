// SPDX-License-Identifier: Apache-2.0
#include "bpf/verifier_budget.hpp"

#include <stdexcept>

#include "bpf/measure_load.hpp"
#include "support/catch.hpp"

using namespace twtrace::test;

namespace {

const std::vector<VerifierBudget> kTable = {{"6.1-x86_64", "fentry", "on_fin", 1000, 100},
                                            {"6.1-x86_64", "fentry", "on_end", 8, 1},
                                            {"6.1-x86_64", "kprobe", "on_fin", 1000, 100},
                                            {"6.12-x86_64", "fentry", "on_fin", 2000, 200}};

std::vector<std::string> breaches_of(std::uint64_t fin_insns, std::uint64_t fin_states, std::uint64_t end_insns) {
  return breaches(kTable, {{"6.1-x86_64", "fentry", "on_fin", fin_insns, fin_states},
                           {"6.1-x86_64", "fentry", "on_end", end_insns, 1}});
}

}  // namespace

TEST_CASE("verifier budget: a quarter more is allowed, one more is not") {
  CHECK(breaches_of(1000, 100, 8).empty());
  CHECK(breaches_of(1250, 125, 8).empty());
  CHECK(breaches_of(10, 1, 8).empty());
  const auto insns = breaches_of(1251, 100, 8);
  REQUIRE(insns.size() == 1);
  CHECK(insns[0] == "6.1-x86_64 fentry on_fin: 1000 instructions before, 1251 now");
  const auto states = breaches_of(1000, 126, 8);
  REQUIRE(states.size() == 1);
  CHECK(states[0] == "6.1-x86_64 fentry on_fin: 100 states before, 126 now");
  CHECK(breaches_of(2000, 200, 100).size() == 3);
}

TEST_CASE("verifier budget: a tiny program may grow by a few instructions") {
  CHECK(breaches_of(1000, 100, 8 + 16).empty());
  CHECK(breaches_of(1000, 100, 8 + 17).size() == 1);
}

TEST_CASE("verifier budget: programs that come and go have to be noted") {
  const auto found =
      breaches(kTable, {{"6.1-x86_64", "fentry", "on_fin", 1000, 100}, {"6.1-x86_64", "fentry", "on_new", 5, 1}});
  REQUIRE(found.size() == 2);
  CHECK(found[0] == "6.1-x86_64 fentry on_new: not in the table");
  CHECK(found[1] == "6.1-x86_64 fentry on_end: in the table, but no longer a program of this backend");
}

TEST_CASE("verifier budget: an update replaces what was measured and keeps the rest") {
  const std::vector<VerifierBudget> measured = {{"6.1-x86_64", "fentry", "on_fin", 5000, 1}};
  const auto table = updated(kTable, measured);
  CHECK(table.size() == 3);
  CHECK(breaches(table, measured).empty());
  CHECK(knows_kernel(table, "6.12-x86_64"));
  CHECK_FALSE(knows_kernel(table, "6.12"));
  CHECK(parse_budgets(print_budgets(table, "# comment\n")).size() == 3);
}

TEST_CASE("verifier budget: the text is sorted and read back") {
  const std::string text = print_budgets({kTable[3], kTable[0]}, "# why\n");
  CHECK(text == "# why\n6.1-x86_64 fentry on_fin 1000 100\n6.12-x86_64 fentry on_fin 2000 200\n");
  CHECK(parse_budgets(text) == std::vector<VerifierBudget>{kTable[0], kTable[3]});
}

TEST_CASE("verifier budget: a line that is no budget is named") {
  for (const std::string text : {"6.1 fentry on_fin 10", "6.1 fentry on_fin ten 1", "6.1 fentry on_fin 10 1 1",
                                 "\n6.1 fentry on_fin 10 1\n6.1 fentry on_fin 11 1\n"}) {
    INFO(text);
    CHECK_THROWS_AS(parse_budgets(text), std::runtime_error);
  }
  CHECK(parse_budgets("# nothing\n\n").empty());
}

TEST_CASE("verifier statistics: the line is found among others") {
  const auto cost = parse_verifier_statistics(
      "verification time 211 usec\nstack depth 8+0\nprocessed 421 insns (limit 1000000) max_states_per_insn 4 "
      "total_states 37 peak_states 36 mark_read 12\n");
  REQUIRE(cost);
  CHECK(cost->insns_processed == 421);
  CHECK(cost->total_states == 37);
  CHECK(cost->peak_states == 36);
  CHECK_FALSE(parse_verifier_statistics(""));
  CHECK_FALSE(parse_verifier_statistics("processed insns total_states 1 peak_states 1"));
}
