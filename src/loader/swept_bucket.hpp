// SPDX-License-Identifier: Apache-2.0
// What a sweep finds.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>

namespace twtrace::loader {

/// A connection that two scans in a row did not find, and that has been forgotten. Of a socket only `row` and `scan` of
/// the bucket are set.
struct SweptBucket {
  std::uint64_t key = 0;  ///< of the map `buckets`: the socket cookie, else the bucket's address
  tw_bucket bucket = {};
};

}  // namespace twtrace::loader
