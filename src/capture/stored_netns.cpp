// SPDX-License-Identifier: Apache-2.0
#include "capture/stored_netns.hpp"

#include <algorithm>

#include "capture/limits.hpp"
#include "capture/versions.hpp"

namespace twtrace::capture {

base::Result<StoredNetns> StoredNetns::read(const Database& database) {
  StoredNetns all;
  const auto version = database.version();
  if (!version) return tl::unexpected(version.error());
  all.has_ids_ = *version >= kVersionWithNetnsIds;
  auto query = database.prepare("SELECT id, inode, name FROM netns ORDER BY id");
  if (!query) return tl::unexpected(query.error());
  int code = query->step();
  for (; code == SQLITE_ROW; code = query->step()) {
    Columns row(query->get());
    model::NetnsName& netns = all.all_.emplace_back();
    netns.id = row.number<std::uint32_t>();
    netns.inum = row.number<std::uint32_t>();
    netns.name = row.text(kLongestPath);
    const auto [known, is_new] = all.only_id_of_inode_.try_emplace(netns.inum, netns.id);
    if (!is_new) known->second.reset();
    if (!row.ok() || all.all_.size() > kMostNamespaces) return tl::unexpected(malformed(database, "netns"));
  }
  if (code != SQLITE_DONE) return tl::unexpected(database.error("cannot be read"));
  return all;
}

std::optional<std::uint32_t> StoredNetns::id(std::optional<std::uint32_t> inode, Columns& row) const {
  const auto stored = row.optional([](Columns& columns) { return columns.number<std::uint32_t>(); });
  if (has_ids_ || !inode) return stored;
  const auto known = only_id_of_inode_.find(*inode);
  return known == only_id_of_inode_.end() ? std::nullopt : known->second;
}

const model::NetnsName* StoredNetns::find(std::uint32_t id) const {
  const auto known = std::lower_bound(all_.begin(), all_.end(), id,
                                      [](const model::NetnsName& netns, auto wanted) { return netns.id < wanted; });
  return known == all_.end() || known->id != id ? nullptr : &*known;
}

}  // namespace twtrace::capture
