// SPDX-License-Identifier: Apache-2.0
// What the BPF objects of the reader programs have in common.
#pragma once

#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/result.hpp"
#include "loader/features.hpp"
#include "loader/libbpf_log.hpp"
#include "loader/libbpf_ptr.hpp"
#include "loader/load_error.hpp"
#include "loader/reader_options.hpp"

namespace twtrace::loader {

/// Why reader programs cannot run here: kUnsupported. Success: they are worth trying.
base::Result<void> check_readers(const Features& features);

/// Runs a reader program once. kPermission if the kernel needs CAP_BPF for that (before 5.19) and the process has
/// dropped it.
base::Result<void> run_reader(const bpf_program* program);

/// Owns an object of reader programs and its mappings. Not thread-safe. Not movable, because the readers point to it.
template <class Skeleton>
class ReaderObject {
 public:
  ReaderObject(const ReaderObject&) = delete;
  ReaderObject& operator=(const ReaderObject&) = delete;

  /// Loads the programs into the kernel. Errors as load_error().
  base::Result<void> load() {
    const LibbpfLog log;
    const int error = -Skeleton::load(skeleton_.get());
    if (error != 0) return tl::unexpected(load_error(error, log, "the kernel refused the BPF reader programs"));
    return {};
  }

  Skeleton& skeleton() { return *skeleton_; }
  const ReaderRuns& runs() const { return runs_; }

  /// Runs a program of this object once. Errors as run_reader().
  base::Result<void> run(const bpf_program* program) {
    if (auto ran = run_reader(program); !ran) return ran;
    const std::uint64_t took_ns = skeleton_->bss->tw_run_took_ns;
    ++runs_.count;
    runs_.total_ns += took_ns;
    runs_.longest_ns = std::max(runs_.longest_ns, took_ns);
    return {};
  }

 protected:
  ReaderObject() = default;
  ~ReaderObject() = default;

  /// Opens the object, for load(). Errors as check_readers().
  base::Result<void> open(const Features& features, const ReaderOptions& options) {
    if (auto possible = check_readers(features); !possible) return possible;
    bpf_object_open_opts open_options{};
    open_options.sz = sizeof(open_options);
    if (!options.btf_path.empty()) open_options.btf_custom_path = options.btf_path.c_str();
    skeleton_.reset(Skeleton::open(&open_options));
    const int saved_errno = errno;
    if (!skeleton_) return base::fail_errno(saved_errno, "cannot open the BPF object of the readers");
    skeleton_->data->tw_run_ns = options.run_ns;
    return {};
  }

 private:
  std::unique_ptr<Skeleton, Destroyer<Skeleton, Skeleton::destroy>> skeleton_;
  ReaderRuns runs_;
};

}  // namespace twtrace::loader
