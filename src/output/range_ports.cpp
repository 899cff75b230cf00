// SPDX-License-Identifier: Apache-2.0
#include "output/range_ports.hpp"

namespace twtrace::output {

void RangePorts::count(std::uint16_t port, double now_s) {
  if (has_too_many_ || fixed_.contains(port)) return;
  const auto [first, is_new] = first_s_.try_emplace(port, now_s);
  if (first_s_.size() + fixed_.size() > kMost) {
    has_too_many_ = true;
    first_s_.clear();
    return;
  }
  if (now_s - first->second < kFixedAfterS) return;
  fixed_.insert(port);
  first_s_.erase(first);
}

}  // namespace twtrace::output
