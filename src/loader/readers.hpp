// SPDX-License-Identifier: Apache-2.0
// Reads the kernel's own lists for all network namespaces at once: the namespaces with their counters, and the tables
// with the buckets.
#pragma once

#include <linux/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "loader/features.hpp"
#include "loader/listener_reader.hpp"
#include "loader/namespace_reader.hpp"
#include "loader/table_reader.hpp"

namespace twtrace::loader {

class ReaderObject;

/// The parts of a tracer that the readers need to credit buckets to its rows. Valid as long as the tracer.
struct TracerState {
  int rows = -1;  ///< descriptors of the maps of these names
  int slots = -1;
  int sockets = -1;
  int buckets = -1;
  std::uint32_t slot_mask = 0;           ///< how many slots there are, less one
  const volatile __u32* scan = nullptr;  ///< generation of its running or last scan
};

struct ReaderOptions {
  std::string btf_path;  ///< BTF of this kernel for hosts that carry none; empty: the kernel's own
  /// How long a run may take, and keep its CPU, in nanoseconds. It checks the clock only now and then, so it takes some
  /// microseconds more. 0 gives the shortest possible runs.
  std::uint64_t run_ns = 500'000;
  std::optional<TracerState> tracer;  ///< empty: the readers know no bucket
};

/// The runs of reader programs so far, including interruptions.
struct ReaderRuns {
  std::uint64_t count = 0;
  std::uint64_t total_ns = 0;
  std::uint64_t longest_ns = 0;
};

/// Owns the reader programs. Nothing is attached or pinned. They see every namespace of the kernel, whatever namespaces
/// this process is in. Once loaded they need no privilege (before Linux 5.19 they need CAP_BPF). Not thread-safe. A
/// moved-from object can only be destroyed or assigned to.
class Readers {
 public:
  /// Loads the programs, which needs CAP_BPF and CAP_PERFMON. kUnsupported if the kernel forbids bpf_probe_read_kernel
  /// (lockdown=confidentiality) or lacks something, kPermission without the privilege.
  static base::Result<Readers> open(const Features& features, const ReaderOptions& options = {});

  Readers(Readers&&) noexcept;
  Readers& operator=(Readers&&) noexcept;
  ~Readers();

  NamespaceReader& namespaces() { return namespaces_; }
  TableReader& table() { return table_; }
  ListenerReader& listeners() { return listeners_; }
  const ReaderRuns& runs() const;

 private:
  Readers(std::unique_ptr<ReaderObject> object, NamespaceReader namespaces, TableReader table,
          ListenerReader listeners);

  std::unique_ptr<ReaderObject> object_;
  NamespaceReader namespaces_;
  TableReader table_;
  ListenerReader listeners_;
};

}  // namespace twtrace::loader
