// SPDX-License-Identifier: Apache-2.0
// Passes over the kernel's list of network namespaces.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "loader/mapped_array.hpp"

namespace twtrace::loader {

class ReaderObject;

/// Reads every namespace that exists from the beginning to the end of a pass, also those that only a descriptor, a
/// socket or a thread holds; of those that come or go meanwhile it may find some. A namespace that is being torn down
/// is told by `exiting`, until the kernel takes it off its list. The readings of a pass are not of one moment. Not
/// thread-safe.
class NamespaceReader {
 public:
  /// `object` has to outlive the reader.
  static base::Result<NamespaceReader> make(ReaderObject& object);

  /// Starts a pass over; `counters`: read the kernel's counters, too, which costs some 50 ns for each possible CPU;
  /// `settings`: read the settings, too, which takes some microseconds.
  void begin(bool counters, bool settings = false);
  /// Goes on with the pass for so much CPU time, give or take a run; true when it has come to its end. Errors as
  /// ReaderObject::run(); kFailure when so many namespaces went away that it does not come to its end.
  base::Result<bool> advance(std::uint64_t budget_ns);
  /// A whole pass.
  base::Result<std::span<const tw_namespace_reading>> read(bool counters, bool settings = false);

  /// Each namespace once, in no particular order; complete after a pass. Valid until the next begin().
  std::span<const tw_namespace_reading> readings() const { return readings_; }

 private:
  NamespaceReader(ReaderObject& object, MappedArray<tw_namespace_reading> filled)
      : object_(&object), filled_(std::move(filled)) {}

  base::Result<bool> run_once();

  ReaderObject* object_;
  MappedArray<tw_namespace_reading> filled_;  ///< by the last run
  std::vector<tw_namespace_reading> readings_;
};

}  // namespace twtrace::loader
