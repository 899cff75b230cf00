// SPDX-License-Identifier: Apache-2.0
#include "model/losses.hpp"

namespace twtrace::model {

std::array<Loss, 11> losses(const Losses& lost) {
  return {{{"counts", lost.counts},
           {"events", lost.events},
           {"rows_full", lost.rows_full},
           {"rows_busy", lost.rows_busy},
           {"netns_full", lost.netns_full},
           {"sockets_full", lost.sockets_full},
           {"buckets_full", lost.buckets_full},
           {"cgroups_full", lost.cgroups_full},
           {"listeners_full", lost.listeners_full},
           {"pairs_lost", lost.pairs_lost},
           {"recursion_misses", lost.recursion_misses.value_or(0)}}};
}

}  // namespace twtrace::model
