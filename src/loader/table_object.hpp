// SPDX-License-Identifier: Apache-2.0
// The program that walks tables of sockets (bpf/tables.bpf.c), for its readers and for the test of the verifier's
// budget.
#pragma once

#include <twtrace/abi.h>
// Its globals are structures of abi.h.
#include <tables.skel.h>

#include <memory>
#include <optional>

#include "loader/reader_object.hpp"

namespace twtrace::loader {

class TableObject : public ReaderObject<tables_bpf> {
 public:
  /// Opens and configures the object, without loading it into the kernel. Errors as Readers::open().
  static base::Result<std::unique_ptr<TableObject>> prepare(const Features& features, const ReaderOptions& options);

  /// Continues a walk by one run. Errors as run_reader().
  base::Result<void> continue_walk(tw_walk& walk);
  /// The same for a pass over the bind buckets.
  base::Result<void> continue_walk(tw_bind_walk& walk);

 private:
  TableObject() = default;
  base::Result<void> share_maps(const std::optional<TracerState>& tracer);

  const volatile __u32* scan_ = nullptr;  ///< the tracer's generation
};

}  // namespace twtrace::loader
