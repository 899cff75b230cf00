// SPDX-License-Identifier: Apache-2.0
// Reads the kernel's list of network namespaces in passes.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "loader/features.hpp"
#include "loader/mapped_array.hpp"
#include "loader/reader_options.hpp"

namespace twtrace::loader {

class NamespaceObject;

/// Reads every namespace that exists during a whole pass, including those that only a descriptor, a socket or a thread
/// holds. It may also find namespaces that come or go meanwhile. `exiting` marks a namespace that is being torn down,
/// until the kernel removes it from the list. The readings of a pass are not from the same moment. Owns its programs.
/// Not thread-safe. A moved-from object can only be destroyed or assigned to.
class NamespaceReader {
 public:
  /// Loads the programs. Errors and privileges as Readers::open().
  static base::Result<NamespaceReader> open(const Features& features, const ReaderOptions& options);

  NamespaceReader(NamespaceReader&&) noexcept;
  NamespaceReader& operator=(NamespaceReader&&) noexcept;
  ~NamespaceReader();

  /// Starts a pass over; `counters`: read the kernel's counters, too, which costs some 50 ns for each possible CPU;
  /// `settings`: read the settings, too, which takes some microseconds.
  void begin(bool counters, bool settings = false);
  /// Continues the pass for this much CPU time, give or take a run. True at the end of the pass. Errors as
  /// run_reader(); kFailure if so many namespaces went away that it cannot finish.
  base::Result<bool> advance(std::uint64_t budget_ns);
  /// A whole pass.
  base::Result<std::span<const tw_namespace_reading>> read(bool counters, bool settings = false);

  /// Each namespace once, in no particular order. Complete after a pass. Valid until the next begin().
  std::span<const tw_namespace_reading> readings() const { return readings_; }
  const ReaderRuns& runs() const;

 private:
  NamespaceReader(std::unique_ptr<NamespaceObject> object, MappedArray<tw_namespace_reading> filled);

  base::Result<bool> run_once();

  std::unique_ptr<NamespaceObject> object_;
  MappedArray<tw_namespace_reading> filled_;  ///< by the last run
  std::vector<tw_namespace_reading> readings_;
};

}  // namespace twtrace::loader
