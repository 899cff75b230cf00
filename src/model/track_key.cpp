// SPDX-License-Identifier: Apache-2.0
#include "model/track_key.hpp"

#include <functional>
#include <string>

namespace twtrace::model {
namespace {

std::size_t hash_of(const Identity& who, RowKind kind, const Peer* peer) {
  const std::hash<std::string> of_text;
  std::size_t hash = of_text(who.comm) + static_cast<std::size_t>(kind);
  const auto mix = [&hash](std::uint64_t value) { hash = (hash ^ value) * 0x9e3779b97f4a7c15U + (hash >> 29U); };
  mix(who.netns);
  mix(who.pid.value_or(0));
  mix(who.start_ns);
  mix(who.port);
  mix(of_text(who.service.cgroup));
  if (peer != nullptr) {
    mix(of_text(peer->address));
    mix(peer->port.value_or(0));
  }
  return hash;
}

}  // namespace

TrackKey track_key(const Fact& fact) {
  return {fact.identity, fact.kind, fact.peer != nullptr ? std::optional(*fact.peer) : std::nullopt};
}

std::size_t TrackHash::operator()(const TrackKey& key) const {
  return hash_of(key.identity, key.kind, key.peer ? &*key.peer : nullptr);
}
std::size_t TrackHash::operator()(const Fact& fact) const { return hash_of(fact.identity, fact.kind, fact.peer); }

bool SameTrack::operator()(const TrackKey& left, const TrackKey& right) const {
  return left.kind == right.kind && left.identity == right.identity && left.peer == right.peer;
}
bool SameTrack::operator()(const Fact& fact, const TrackKey& key) const {
  const bool same_peer = fact.peer == nullptr ? !key.peer : key.peer && *fact.peer == *key.peer;
  return fact.kind == key.kind && same_peer && fact.identity == key.identity;
}

}  // namespace twtrace::model
