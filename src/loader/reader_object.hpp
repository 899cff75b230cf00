// SPDX-License-Identifier: Apache-2.0
// The reader programs (bpf/readers.bpf.c), for the readers of this folder, and for the test of the verifier's budget.
#pragma once

#include <bpf/libbpf.h>
#include <twtrace/abi.h>
// Its globals are structures of abi.h.
#include <readers.skel.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "loader/features.hpp"
#include "loader/libbpf_ptr.hpp"
#include "loader/mapped_array.hpp"
#include "loader/readers.hpp"

namespace twtrace::loader {

/// Owns the object and its mappings. Not thread-safe. Not movable, because the readers point to it.
class ReaderObject {
 public:
  /// Errors as Readers::open().
  static base::Result<std::unique_ptr<ReaderObject>> open(const Features& features, const ReaderOptions& options);
  /// Opens and configures the object, without loading it into the kernel. Errors as Readers::open().
  static base::Result<std::unique_ptr<ReaderObject>> prepare(const Features& features, const ReaderOptions& options);

  ReaderObject(const ReaderObject&) = delete;
  ReaderObject& operator=(const ReaderObject&) = delete;

  /// Loads what was prepared. Errors as load_error().
  base::Result<void> load();
  readers_bpf& skeleton() { return *skeleton_; }
  const ReaderRuns& runs() const { return runs_; }

  /// Runs a program once. kPermission if the kernel needs CAP_BPF for that (before 5.19) and the process has dropped
  /// it.
  base::Result<void> run(const bpf_program* program);

 private:
  using SkeletonPtr = std::unique_ptr<readers_bpf, Destroyer<readers_bpf, readers_bpf::destroy>>;

  ReaderObject() = default;
  base::Result<void> configure(const Features& features, const ReaderOptions& options);
  base::Result<void> share_maps(const std::optional<TracerState>& tracer);
  base::Result<void> learn_cpus();

  SkeletonPtr skeleton_;
  std::vector<std::uint32_t> cpus_;
  const volatile __u32* scan_ = nullptr;  ///< the tracer's generation
  ReaderRuns runs_;
};

}  // namespace twtrace::loader
