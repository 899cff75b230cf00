// SPDX-License-Identifier: Apache-2.0
// Slots of namespaces, as the kernel side fills them.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>

namespace twtrace::test {

/// A published one, without counts.
inline tw_netns netns_slot(std::uint64_t identity, std::uint32_t inum) {
  tw_netns slot{};
  slot.id = identity;
  slot.inum = inum;
  slot.in_use = 1;
  return slot;
}

}  // namespace twtrace::test
