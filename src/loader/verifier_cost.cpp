// SPDX-License-Identifier: Apache-2.0
#include "loader/verifier_cost.hpp"

#include <charconv>
#include <system_error>

namespace twtrace::loader {
namespace {

/// The number behind `label`.
std::optional<std::uint64_t> number_after(std::string_view text, std::string_view label) {
  const std::size_t found = text.find(label);
  if (found == std::string_view::npos) return std::nullopt;
  text.remove_prefix(found + label.size());
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

}  // namespace

// "processed 42 insns (limit 1000000) max_states_per_insn 1 total_states 5 peak_states 5 mark_read 2", of
// print_verification_stats in kernel/bpf/verifier.c: the same words since 5.2.
std::optional<VerifierCost> parse_verifier_statistics(std::string_view log) {
  const auto insns = number_after(log, "processed ");
  const auto peak = number_after(log, " peak_states ");
  const auto total = number_after(log, " total_states ");
  if (!insns || !peak || !total) return std::nullopt;
  return VerifierCost{{}, *insns, *peak, *total};
}

}  // namespace twtrace::loader
