// SPDX-License-Identifier: Apache-2.0
// What a budget's metric may have in addition to what was counted. Private to this folder.
#pragma once

#include <cstdint>
#include <string>

#include "report/selected.hpp"

namespace twtrace::report {

/// What the kernel counted and no program saw, or what cannot be told apart from other counts. Nobody knows whose it
/// is.
struct Unseen {
  std::uint64_t count = 0;
  std::uint64_t of_unknown = 0;  ///< of rows besides, whose owner is not known (Asked::perhaps)
  std::string why;               ///< follows the sum of both in a sentence

  std::uint64_t all() const { return count + of_unknown; }
};

/// In the namespaces that the budget asks for. Where the kernel's counters cannot be compared, nothing is known to be
/// unseen.
Unseen unseen(const Asked& asked);

/// True if every reset to the peer of a refused connection is counted as such.
bool knows_peer_resets(const Report& report);

}  // namespace twtrace::report
