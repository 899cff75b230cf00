// SPDX-License-Identifier: Apache-2.0
#include "logs/matches.hpp"

#include <algorithm>
#include <utility>

namespace twtrace::logs {

bool Matches::has_room(std::int64_t second) {
  if (second > second_) {  // what a journal tells late is counted with what came in between
    second_ = second;
    in_second_ = 0;
  }
  return in_second_ < kMostPerSecond && kept_.size() < kMostPerTake && ever_ < kMostEver;
}

void Matches::add(std::size_t log, std::int64_t time_unix_ms, std::string_view line) {
  constexpr std::int64_t kSecondMs = 1000;
  if (has_room(time_unix_ms / kSecondMs)) {
    ++in_second_;
    ++ever_;
    kept_.push_back({log, time_unix_ms, 1, std::string(line.substr(0, kLongestText))});
    return;
  }
  const auto [counted, is_new] = counted_.try_emplace(log, model::LogLine{log, time_unix_ms, 0, {}});
  counted->second.time_unix_ms = time_unix_ms;
  ++counted->second.lines;
}

std::vector<model::LogLine> Matches::take() {
  std::vector<model::LogLine> all = std::exchange(kept_, {});
  std::ranges::stable_sort(all, {}, &model::LogLine::time_unix_ms);
  for (auto& [log, line] : std::exchange(counted_, {})) all.push_back(line);
  return all;
}

}  // namespace twtrace::logs
