// SPDX-License-Identifier: Apache-2.0
// The table of what the verifier may spend on each program. Compares measurements with it.
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

/// Parses a table. Empty lines and lines that start with # are comments. Throws std::runtime_error with the number of
/// the first bad line.
std::vector<VerifierBudget> parse_budgets(const std::string& text);

/// The text of a table, sorted by kernel, backend and program, with `comment` on top.
std::string print_budgets(std::vector<VerifierBudget> budgets, const std::string& comment);

/// Whether the table has lines of this kernel.
bool knows_kernel(const std::vector<VerifierBudget>& table, const std::string& kernel);

/// Returns a sentence for each program that grew by more than a quarter, that the table lacks, or that its backend no
/// longer has. `measured` is of one kernel. Ignores backends that were not measured.
std::vector<std::string> breaches(const std::vector<VerifierBudget>& table,
                                  const std::vector<VerifierBudget>& measured);

/// The table with the lines of the measured kernel and backends replaced.
std::vector<VerifierBudget> updated(std::vector<VerifierBudget> table, const std::vector<VerifierBudget>& measured);

}  // namespace twtrace::test
