// SPDX-License-Identifier: Apache-2.0
// The table of what the verifier may spend on each program, and the comparison with it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace twtrace::test {

/// One line of the table: "KERNEL BACKEND PROGRAM INSNS TOTAL_STATES". KERNEL is as kernel_id() gives it.
struct VerifierBudget {
  std::string kernel;
  std::string backend;
  std::string program;
  std::uint64_t insns = 0;         ///< instructions processed over all paths
  std::uint64_t total_states = 0;  ///< states kept for comparison

  bool operator==(const VerifierBudget&) const = default;
};

/// "6.12-x86_64": major and minor version of the running kernel and its machine. The verifier changes with them.
std::string kernel_id();

/// Reads a table; empty lines and those that start with # are comments. Throws std::runtime_error with the number of
/// the line that is no budget.
std::vector<VerifierBudget> parse_budgets(const std::string& text);

/// The text of a table, sorted by kernel, backend and program, with `comment` on top.
std::string print_budgets(std::vector<VerifierBudget> budgets, const std::string& comment);

/// Whether the table knows the kernel at all.
bool knows_kernel(const std::vector<VerifierBudget>& table, const std::string& kernel);

/// What is wrong with `measured`, which is of one kernel: a sentence per program that grew by more than a quarter, that
/// the table lacks, or that it has although the backend no longer does. Backends that were not measured are not judged.
std::vector<std::string> breaches(const std::vector<VerifierBudget>& table,
                                  const std::vector<VerifierBudget>& measured);

/// The table with the lines of the measured kernel and backends replaced.
std::vector<VerifierBudget> updated(std::vector<VerifierBudget> table, const std::vector<VerifierBudget>& measured);

}  // namespace twtrace::test
