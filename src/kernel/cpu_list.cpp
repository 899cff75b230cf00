// SPDX-License-Identifier: Apache-2.0
#include "kernel/cpu_list.hpp"

#include <string>

#include "kernel/file.hpp"
#include "kernel/text.hpp"

namespace twtrace::kernel {
namespace {

/// More than any kernel can have (CONFIG_NR_CPUS). Keeps a malformed list from filling the memory.
constexpr std::uint32_t kMostCpus = 1U << 16U;

}  // namespace

base::Result<std::vector<std::uint32_t>> parse_cpu_list(std::string_view text) {
  std::vector<std::uint32_t> cpus;
  std::string_view rest = trim(text);
  for (bool more = true; more;) {
    more = rest.find(',') != std::string_view::npos;
    std::string_view last = cut(rest, ',');
    const std::string_view first = last.find('-') == std::string_view::npos ? last : cut(last, '-');
    const auto begin = parse_number<std::uint32_t>(first);
    const auto end = parse_number<std::uint32_t>(last);
    const bool ascends = begin && end && *begin <= *end && (cpus.empty() || cpus.back() < *begin);
    if (!ascends || *end >= kMostCpus) {
      return base::fail(base::ErrorCode::kInvalid, "not a list of CPUs: \"" + std::string(trim(text)) + "\"");
    }
    for (std::uint32_t cpu = *begin; cpu <= *end; ++cpu) cpus.push_back(cpu);
  }
  return cpus;
}

base::Result<std::vector<std::uint32_t>> possible_cpus(const std::filesystem::path& sysfs) {
  const auto path = sysfs / "devices/system/cpu/possible";
  const auto text = read_file(path);
  if (!text) return tl::unexpected(text.error());
  auto cpus = parse_cpu_list(*text);
  if (!cpus) return base::prepend(cpus.error(), path.string());
  return cpus;
}

}  // namespace twtrace::kernel
