// SPDX-License-Identifier: Apache-2.0
#include "model/peers.hpp"

#include <cstring>
#include <utility>

#include "model/address.hpp"

namespace twtrace::model {
namespace {

/// Of a removal, or of a reset that was sent.
void count_reason(Counters& counts, Event::Reason reason) {
  switch (reason) {
    case Event::Reason::kUnknown:
      return;
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
    case Event::Reason::kAvoidable:
      ++counts.peer_resets;
      ++counts.peer_resets_avoidable;
      return;
    case Event::Reason::kRefused:
      ++counts.peer_resets;
      return;
    case Event::Reason::kLate:
      ++counts.resets_late;
      return;
    case Event::Reason::kAborted:
      ++counts.resets_aborted;
      return;
    case Event::Reason::kClosedPort:
      ++counts.resets_closed_port;
      return;
    case Event::Reason::kOther:
      ++counts.resets_other;
      return;
  }
}

void count_event(Counters& counts, Event::Kind kind, Event::Substate substate, Event::Reason reason) {
  const bool fin_wait2 = substate == Event::Substate::kFinWait2;
  switch (kind) {
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
    case Event::Kind::kResetSent:
      count_reason(counts, reason);
      return;
    case Event::Kind::kNoPort:
      ++counts.no_port;
      return;
    case Event::Kind::kResetFelt:
      ++counts.resets_felt;
      ++counts.resets_received;
      return;
    case Event::Kind::kResetReceived:
      ++counts.resets_received;
      return;
    case Event::Kind::kQueueDrop:  // nobody knows whose attempt it was
      return;
  }
}

}  // namespace

void PeerTable::begin_interval() {
  for (auto& [key, counts] : peers_) counts.previous = std::exchange(counts.sampled, counts.counts);
}

std::size_t PeerTable::RecordHash::operator()(const RecordKey& key) const {
  std::uint64_t hash = std::uint64_t{key.program} << 32U | std::uint64_t{key.port} << 16U | key.ipv6;
  for (const std::uint64_t part : key.address) {
    hash = (hash ^ part) * 0x9e3779b97f4a7c15U;
    hash ^= hash >> 32U;
  }
  return hash;
}

PeerCounts* PeerTable::find_or_add(const PeerKey& key) {
  const auto found = peers_.find(key);
  if (found != peers_.end()) return &found->second;
  return peers_.size() >= max_peers_ ? nullptr : &peers_.emplace(key, PeerCounts{}).first->second;
}

void PeerTable::count(const PeerKey& key, const Event& event) {
  PeerCounts* counts = find_or_add(key);
  if (counts != nullptr) count_event(counts->counts, event.kind, event.substate, event.reason);
}

void PeerTable::set_before_start(const Live& live) {
  for (auto& [key, buckets] : before_start_) buckets = 0;
  for (const auto& [key, buckets] : live) {
    const auto known = before_start_.find(key);
    if (known != before_start_.end()) {
      known->second = buckets;
    } else if (before_start_.size() < max_peers_) {
      before_start_.emplace(key, buckets);
    }
  }
}

const PeerTable::Program& PeerTable::program_of(std::uint32_t row, std::uint64_t first_ns, const Identity& who) {
  if (row >= programs_.size()) programs_.resize(row + 1);
  Program& program = programs_[row];
  if (program.first_ns == first_ns) return program;
  Identity merged = folded(who);
  program = {first_ns, 0, who.role == Role::kClient};
  const auto number = numbers_.find(merged);
  if (number != numbers_.end()) {
    program.number = number->second;
  } else if (numbers_.size() < max_peers_) {
    program.number = static_cast<std::uint32_t>(numbers_.size()) + 1;
    numbers_.emplace(std::move(merged), program.number);
  }
  return program;
}

void PeerTable::count(const PeerRecord& record, std::uint64_t first_ns, const Identity& who) {
  const Program& program = program_of(record.row, first_ns, who);
  if (program.number == 0) return;
  RecordKey key;
  std::memcpy(key.address.data(), record.address.data(), sizeof(key.address));
  key.program = program.number;
  if (program.is_client) key.port = record.port;
  key.ipv6 = record.ipv6 ? 1 : 0;
  auto found = known_.find(key);
  if (found == known_.end()) {
    if (known_.size() >= max_peers_) return;
    PeerKey named{folded(who), {format_address(record.ipv6, record.address), std::nullopt}};
    if (program.is_client) named.peer.port = record.port;
    PeerCounts* counts = find_or_add(named);
    if (counts == nullptr) return;
    found = known_.emplace(key, counts).first;
  }
  count_event(found->second->counts, record.kind, record.substate, record.reason);
}

}  // namespace twtrace::model
