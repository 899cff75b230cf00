// SPDX-License-Identifier: Apache-2.0
// Private to capture: the namespaces of a file, and which of them a row is about.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "capture/columns.hpp"
#include "capture/sqlite.hpp"
#include "model/source.hpp"

namespace twtrace::capture {

/// The table `netns` as it was when it was read. Not thread-safe.
class StoredNetns {
 public:
  /// kInvalid when the table holds what cannot be.
  static base::Result<StoredNetns> read(const Database& database);

  /// What to select of a row of `setting`, `port_use` or `event` for id(): two columns.
  const char* columns() const { return has_ids_ ? "netns, netns_id" : "netns, NULL"; }
  /// Which namespace it is, by these two columns. Before version 4 a file has the inode number only: empty when several
  /// of its namespaces had that one after the other.
  std::optional<std::uint32_t> id(std::optional<std::uint32_t> inode, Columns& row) const;
  /// nullptr for one that the table did not have.
  const model::NetnsName* find(std::uint32_t id) const;
  /// Ascending by id.
  const std::vector<model::NetnsName>& all() const { return all_; }

 private:
  bool has_ids_ = true;
  std::vector<model::NetnsName> all_;
  std::map<std::uint32_t, std::optional<std::uint32_t>> only_id_of_inode_;  ///< empty: there are several
};

}  // namespace twtrace::capture
