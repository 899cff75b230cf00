// SPDX-License-Identifier: Apache-2.0
#include "capture/stored_netns.hpp"

#include "capture/limits.hpp"

namespace twtrace::capture {
namespace {

/// The first version whose rows have the id of their namespace.
constexpr std::int64_t kVersionWithIds = 4;

}  // namespace

base::Result<StoredNetns> StoredNetns::read(const Database& database) {
  StoredNetns all;
  const auto version = database.number("PRAGMA user_version");
  if (!version) return tl::unexpected(version.error());
  all.has_ids_ = *version >= kVersionWithIds;
  auto query = database.prepare("SELECT id, inode, name FROM netns ORDER BY id");
  if (!query) return tl::unexpected(query.error());
  int code = query->step();
  for (; code == SQLITE_ROW; code = query->step()) {
    Columns row(query->get());
    const auto id = row.number<std::uint32_t>();
    const auto [known, is_new] = all.only_id_of_inode_.try_emplace(row.number<std::uint32_t>(), id);
    if (!is_new) known->second.reset();
    all.names_[id] = row.text(kLongestPath);
    if (!row.ok() || all.names_.size() > kMostNamespaces) return tl::unexpected(malformed(database, "netns"));
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

std::string StoredNetns::name(std::optional<std::uint32_t> id) const {
  const auto known = id ? names_.find(*id) : names_.end();
  return known == names_.end() ? std::string() : known->second;
}

}  // namespace twtrace::capture
