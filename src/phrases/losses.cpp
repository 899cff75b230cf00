// SPDX-License-Identifier: Apache-2.0
#include "phrases/losses.hpp"

#include "base/format.hpp"

namespace twtrace::phrases {

std::array<Loss, 12> losses(const model::Losses& lost) {
  return {{{"events", lost.events},
           {"counts", lost.counts},
           {"rows_full", lost.rows_full},
           {"rows_busy", lost.rows_busy},
           {"netns_full", lost.netns_full},
           {"sockets_full", lost.sockets_full},
           {"buckets_full", lost.buckets_full},
           {"cgroups_full", lost.cgroups_full},
           {"listeners_full", lost.listeners_full},
           {"pairs_lost", lost.pairs_lost},
           {"refused_full", lost.refused_full},
           {"recursion_misses", lost.recursion_misses}}};
}

std::string loss_words(const model::Losses& lost, std::string_view separator) {
  std::string words;
  for (const Loss& loss : losses(lost)) {
    if (loss.count.value_or(0) == 0) continue;
    if (!words.empty()) words += separator;
    words.append(loss.name).append(" ").append(base::grouped(*loss.count));
  }
  return words;
}

}  // namespace twtrace::phrases
