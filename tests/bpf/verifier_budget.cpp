// SPDX-License-Identifier: Apache-2.0
#include "bpf/verifier_budget.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <tuple>

namespace twtrace::test {
namespace {

// A quarter of a tiny program is less than an instruction, so every program may grow by at least this much.
constexpr std::uint64_t kFreeInsns = 16;
constexpr std::uint64_t kFreeStates = 4;

auto name_of(const VerifierBudget& budget) { return std::tie(budget.kernel, budget.backend, budget.program); }

std::string text_of(const VerifierBudget& budget) {
  return budget.kernel + " " + budget.backend + " " + budget.program;
}

std::uint64_t most(std::uint64_t before, std::uint64_t free) { return before + std::max(before / 4, free); }

const VerifierBudget* find(const std::vector<VerifierBudget>& budgets, const VerifierBudget& like) {
  const auto found = std::find_if(budgets.begin(), budgets.end(),
                                  [&](const VerifierBudget& one) { return name_of(one) == name_of(like); });
  return found == budgets.end() ? nullptr : &*found;
}

bool measures_backend_of(const std::vector<VerifierBudget>& measured, const VerifierBudget& budget) {
  return std::any_of(measured.begin(), measured.end(), [&](const VerifierBudget& one) {
    return one.kernel == budget.kernel && one.backend == budget.backend;
  });
}

void check_growth(const char* unit, std::uint64_t before, std::uint64_t now, std::uint64_t free,
                  const VerifierBudget& budget, std::vector<std::string>& found) {
  if (now <= most(before, free)) return;
  found.push_back(text_of(budget) + ": " + std::to_string(before) + " " + unit + " before, " + std::to_string(now) +
                  " now");
}

}  // namespace

std::string kernel_id() {
  utsname names{};
  if (uname(&names) != 0) throw std::runtime_error("uname");
  const std::string release = names.release;
  const std::size_t minor = release.find('.') + 1;
  return release.substr(0, release.find_first_not_of("0123456789", minor)) + "-" + names.machine;
}

std::vector<VerifierBudget> parse_budgets(const std::string& text) {
  std::vector<VerifierBudget> budgets;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    VerifierBudget budget;
    std::string rest;
    if (!(words >> budget.kernel >> budget.backend >> budget.program >> budget.insns >> budget.total_states) ||
        words >> rest || find(budgets, budget) != nullptr) {
      throw std::runtime_error("line " + std::to_string(number) + " of the verifier's budget makes no sense: " + line);
    }
    budgets.push_back(std::move(budget));
  }
  return budgets;
}

std::string print_budgets(std::vector<VerifierBudget> budgets, const std::string& comment) {
  std::sort(budgets.begin(), budgets.end(),
            [](const VerifierBudget& left, const VerifierBudget& right) { return name_of(left) < name_of(right); });
  std::string text = comment;
  for (const VerifierBudget& budget : budgets) {
    text += text_of(budget) + " " + std::to_string(budget.insns) + " " + std::to_string(budget.total_states) + "\n";
  }
  return text;
}

bool knows_kernel(const std::vector<VerifierBudget>& table, const std::string& kernel) {
  return std::any_of(table.begin(), table.end(), [&](const VerifierBudget& one) { return one.kernel == kernel; });
}

std::vector<std::string> breaches(const std::vector<VerifierBudget>& table,
                                  const std::vector<VerifierBudget>& measured) {
  std::vector<std::string> found;
  for (const VerifierBudget& now : measured) {
    const VerifierBudget* before = find(table, now);
    if (before == nullptr) {
      found.push_back(text_of(now) + ": not in the table");
      continue;
    }
    check_growth("instructions", before->insns, now.insns, kFreeInsns, now, found);
    check_growth("states", before->total_states, now.total_states, kFreeStates, now, found);
  }
  for (const VerifierBudget& before : table) {
    if (measures_backend_of(measured, before) && find(measured, before) == nullptr) {
      found.push_back(text_of(before) + ": in the table, but no longer a program of this backend");
    }
  }
  return found;
}

std::vector<VerifierBudget> updated(std::vector<VerifierBudget> table, const std::vector<VerifierBudget>& measured) {
  std::erase_if(table, [&](const VerifierBudget& old) { return measures_backend_of(measured, old); });
  table.insert(table.end(), measured.begin(), measured.end());
  return table;
}

}  // namespace twtrace::test
