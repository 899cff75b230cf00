// SPDX-License-Identifier: Apache-2.0
#include "model/peers.hpp"

#include <utility>

namespace twtrace::model {
namespace {

void count_removed(Counters& counts, Event::Reason reason) {
  switch (reason) {
    case Event::Reason::kExpired:
      ++counts.expired;
      return;
    case Event::Reason::kReused:
      ++counts.reused;
      return;
    case Event::Reason::kRecycled:
      ++counts.recycled;
      return;
    case Event::Reason::kPurged:
      ++counts.purged;
      return;
    case Event::Reason::kUnknown:
      return;
  }
}

void count_event(Counters& counts, const Event& event) {
  const bool fin_wait2 = event.substate == Event::Substate::kFinWait2;
  switch (event.kind) {
    case Event::Kind::kCreated:
      ++(fin_wait2 ? counts.fin_wait2 : counts.time_wait);
      return;
    case Event::Kind::kOverflow:
      ++(fin_wait2 ? counts.overflow_fin_wait2 : counts.overflow_time_wait);
      return;
    case Event::Kind::kNoMemory:
      ++counts.no_memory;
      return;
    case Event::Kind::kRemoved:
      count_removed(counts, event.reason);
      return;
  }
}

}  // namespace

void PeerTable::begin_interval() {
  for (auto& [key, counts] : peers_) counts.previous = std::exchange(counts.sampled, counts.counts);
}

void PeerTable::count(const PeerKey& key, const Event& event) {
  auto found = peers_.find(key);
  if (found == peers_.end()) {
    if (peers_.size() >= max_peers_) return;
    found = peers_.emplace(key, PeerCounts{}).first;
  }
  count_event(found->second.counts, event);
}

}  // namespace twtrace::model
