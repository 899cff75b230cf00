// SPDX-License-Identifier: Apache-2.0
#include "capture/replay.hpp"

#include <utility>
#include <vector>

#include "capture/stored_heads.hpp"
#include "capture/stored_keys.hpp"
#include "capture/stored_services.hpp"

namespace twtrace::capture {
namespace {

/// The tables of a sample.
class Tables final : public model::Source {
 public:
  void visit(const model::FactVisitor& visitor) const override { owners.visit(visitor); }
  void visit_peers(const model::FactVisitor& visitor) const override { peers.visit(visitor); }
  const std::vector<model::NetnsInfo>& namespaces() const override { return heads.infos(); }
  std::size_t size_hint() const override { return owners.size(); }

  StoredServices services;  ///< the others read theirs from here
  StoredHeads heads;
  StoredKeys owners;  ///< without rows when nobody wants them
  StoredKeys peers;
};

base::Result<void> open(const Database& database, const model::CaptureInfo& info, const StoredNetns& namespaces,
                        model::Wanted wanted, Tables& tables) {
  auto services = StoredServices::open(database);
  if (!services) return tl::unexpected(services.error());
  tables.services = std::move(*services);
  auto heads = StoredHeads::open(database, info, namespaces, tables.services, wanted);
  if (!heads) return tl::unexpected(heads.error());
  tables.heads = std::move(*heads);
  if (wanted == model::Wanted::kHeads) return {};
  for (const auto& [keys, kind] :
       {std::pair(&tables.owners, StoredKeys::Kind::kOwners), std::pair(&tables.peers, StoredKeys::Kind::kPeers)}) {
    auto opened = StoredKeys::open(database, kind, tables.services);
    if (!opened) return tl::unexpected(opened.error());
    *keys = std::move(*opened);
  }
  return {};
}

base::Result<void> check_read(const Tables& tables) {
  for (const auto& rows : tables.heads.tables()) {
    if (rows.first->error()) return tl::unexpected(*rows.first->error());
  }
  for (const StoredKeys* keys : {&tables.owners, &tables.peers}) {
    if (keys->changes().error()) return tl::unexpected(*keys->changes().error());
  }
  return {};
}

/// Rows that are left belong to no sample.
base::Result<void> check_end(const Database& database, const Tables& tables) {
  for (const auto& [rows, table] : tables.heads.tables()) {
    if (!rows->done()) return tl::unexpected(malformed(database, table));
  }
  for (const StoredKeys* keys : {&tables.owners, &tables.peers}) {
    if (!keys->changes().done()) return tl::unexpected(malformed(database, keys->table()));
  }
  return {};
}

}  // namespace

base::Result<void> replay(const Database& database, const model::CaptureInfo& info, const StoredNetns& namespaces,
                          model::Wanted wanted, const model::SampleVisitor& visit) {
  Tables tables;
  if (auto opened = open(database, info, namespaces, wanted, tables); !opened) return opened;
  for (std::int64_t sample = 1; tables.heads.at(sample); ++sample) {
    const model::SnapshotPtr head = tables.heads.read(sample);
    if (!head) return tl::unexpected(malformed(database, tables.heads.bad_table()));
    for (StoredKeys* keys : {&tables.owners, &tables.peers}) {
      if (!keys->read(sample)) return tl::unexpected(malformed(database, keys->table()));
    }
    if (auto read = check_read(tables); !read) return read;
    if (!visit(head, tables)) return {};
  }
  auto read = check_read(tables);
  return read ? check_end(database, tables) : read;
}

}  // namespace twtrace::capture
