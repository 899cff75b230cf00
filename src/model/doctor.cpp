// SPDX-License-Identifier: Apache-2.0
#include "model/doctor.hpp"

#include <algorithm>
#include <tuple>

#include "model/fill.hpp"

namespace twtrace::model {

std::optional<std::uint64_t> percent_full(const DoctorNetns& netns) { return percent_full(netns.in_use, netns.limit); }

void sort_worst_first(std::vector<DoctorNetns>& namespaces) {
  const auto rank = [](const DoctorNetns& netns) {
    return std::tuple(is_nearly_full(netns.in_use, netns.limit), netns.overflow.value_or(0),
                      percent_full(netns).value_or(0));
  };
  std::sort(namespaces.begin(), namespaces.end(), [&](const DoctorNetns& left, const DoctorNetns& right) {
    if (rank(left) != rank(right)) return rank(left) > rank(right);
    return left.netns < right.netns;
  });
}

}  // namespace twtrace::model
