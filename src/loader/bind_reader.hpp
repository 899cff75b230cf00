// SPDX-License-Identifier: Apache-2.0
// Reads which local ports are taken, in passes.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <functional>
#include <utility>

#include "base/result.hpp"
#include "loader/mapped_array.hpp"

namespace twtrace::loader {

class TableObject;

/// Reads the bind buckets of every namespace: the local ports that sockets have in any state, also without a peer.
/// Finds each that exists during a whole pass at least once. Not thread-safe.
class BindReader {
 public:
  using Handler = std::function<void(const tw_bind_reading&)>;

  /// `object` must outlive the reader.
  static base::Result<BindReader> make(TableObject& object);

  /// A whole pass. Returns how many chains of the table may not be complete. Errors as TableObject::continue_walk().
  base::Result<std::uint64_t> read(const Handler& handler);

 private:
  BindReader(TableObject& object, MappedArray<tw_bind_reading> filled) : object_(&object), filled_(std::move(filled)) {}

  TableObject* object_;
  MappedArray<tw_bind_reading> filled_;  ///< by the last run
};

}  // namespace twtrace::loader
