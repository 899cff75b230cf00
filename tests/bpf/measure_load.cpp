// SPDX-License-Identifier: Apache-2.0
#include "bpf/measure_load.hpp"

#include <bpf/libbpf.h>

#include <charconv>
#include <cstddef>
#include <system_error>
#include <utility>

namespace twtrace::test {
namespace {

/// The number after `label`.
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

// "processed 42 insns (limit 1000000) max_states_per_insn 1 total_states 5 peak_states 5 mark_read 2", from
// print_verification_stats in kernel/bpf/verifier.c. The words are the same since 5.2.
std::optional<VerifierCost> parse_verifier_statistics(std::string_view log) {
  const auto insns = number_after(log, "processed ");
  const auto peak = number_after(log, " peak_states ");
  const auto total = number_after(log, " total_states ");
  if (!insns || !peak || !total) return std::nullopt;
  return VerifierCost{{}, *insns, *peak, *total};
}

base::Result<std::vector<VerifierCost>> measure_load(bpf_object* object,
                                                     const std::function<base::Result<void>()>& load) {
  constexpr __u32 kStatisticsOnly = 4;          // BPF_LOG_STATS of bpf_verifier.h; no header for user space has it
  constexpr std::size_t kLogBytes = 1U << 18U;  // the log has a line for each call of a function that is not inlined
  std::vector<std::pair<std::string, std::vector<char>>> logs;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object) {
    if (!bpf_program__autoload(program)) continue;
    auto& [name, log] = logs.emplace_back(bpf_program__name(program), std::vector<char>(kLogBytes));
    bpf_program__set_log_level(program, kStatisticsOnly);
    bpf_program__set_log_buf(program, log.data(), log.size());
  }
  if (auto loaded = load(); !loaded) return tl::unexpected(loaded.error());
  std::vector<VerifierCost> costs;
  for (const auto& [name, log] : logs) {
    auto cost = parse_verifier_statistics(log.data());
    if (!cost) return base::fail(base::ErrorCode::kInvalid, "the verifier gives no statistics of " + name);
    cost->program = name;
    costs.push_back(std::move(*cost));
  }
  return costs;
}

}  // namespace twtrace::test
