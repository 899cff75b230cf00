// SPDX-License-Identifier: Apache-2.0
#include "loader/mib_spans.hpp"

#include <algorithm>
#include <tuple>

namespace twtrace::loader {
namespace {

/// Copying this many words takes about as long as a call.
constexpr std::uint32_t kWidest = 14;
static_assert(kWidest * TW_MIB_SPANS <= TW_MIB_WORDS);

}  // namespace

MibPlan plan_mib_spans(const CounterPlaces& counters) {
  std::array<std::size_t, TW_KERNEL_COUNTERS> order{};
  for (std::size_t i = 0; i < order.size(); ++i) order.at(i) = i;
  std::sort(order.begin(), order.end(), [&counters](std::size_t a, std::size_t b) {
    return std::tuple(counters.at(a).tcp, counters.at(a).index) < std::tuple(counters.at(b).tcp, counters.at(b).index);
  });

  MibPlan plan;
  auto* span = plan.spans.data();
  std::uint32_t at = 0;
  for (const std::size_t number : order) {
    const CounterPlace& counter = counters.at(number);
    const bool fits = span->words != 0 && (span->tcp != 0) == counter.tcp && counter.index < span->first + kWidest;
    if (!fits) {
      if (span->words != 0) ++span;
      *span = {static_cast<__u16>(counter.tcp ? 1 : 0), static_cast<__u16>(counter.index), 0, static_cast<__u16>(at)};
    }
    span->words = static_cast<__u16>(counter.index - span->first + 1);
    at = span->at + span->words;
    plan.places.at(number) = at - 1;
  }
  return plan;
}

}  // namespace twtrace::loader
