// SPDX-License-Identifier: Apache-2.0
// Which rows a user asked to see. A filter hides rows; it never changes a count or a namespace's totals.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/row_table.hpp"

namespace twtrace::view {

/// True when the shell pattern (glob) takes all of `text`.
bool glob(const std::string& pattern, const std::string& text);

/// Empty members match everything. `comm` is matched by glob(), `service` by service_matches() (service_names.hpp).
struct Filter {
  std::optional<std::uint32_t> pid;
  std::optional<std::string> comm;
  std::optional<std::string> service;
  std::optional<std::uint32_t> netns;  ///< inode number
  bool only_ipv4 = false;
  bool only_ipv6 = false;
  bool only_matched = false;  ///< a port filter is set; the kernel side decided what matches

  bool empty() const;
  /// `netns_inum` is the inode number of the entry's namespace.
  bool accepts(const model::Identity& identity, std::uint32_t netns_inum) const;
};

}  // namespace twtrace::view
