// SPDX-License-Identifier: Apache-2.0
#include "model/source.hpp"

namespace twtrace::model {

NameHashes hash_names(const Identity& identity) {
  const std::hash<std::string> hash;
  return {hash(identity.comm), hash(identity.service.name),
          std::hash<std::string_view>{}(identity.service.own_cgroup())};
}

void CurrentSource::visit(const FactVisitor& visitor) const {
  const Counters zero;
  table_.for_each([&](const Entry& entry, RowKind kind) {
    visitor({entry.identity, kind, nullptr, entry.counts, entry.previous, zero, entry.live, entry.pids, entry.exited,
             nullptr, entry.ports});
  });
}

void CurrentSource::visit_peers(const FactVisitor& visitor) const {
  const Counters zero;
  for (const auto& [key, peer] : peers_.all()) {
    visitor({key.identity, RowKind::kNormal, &key.peer, peer.counts, peer.previous, zero, std::nullopt});
  }
  for (const auto& [key, live] : peers_.before_start()) {
    visitor({key.identity, RowKind::kBeforeStart, &key.peer, zero, zero, zero, live});
  }
}

}  // namespace twtrace::model
