// SPDX-License-Identifier: Apache-2.0
// Reads the kernel's own lists for all network namespaces at once: the namespaces with their counters, and the tables
// with the buckets.
#pragma once

#include <memory>

#include "base/result.hpp"
#include "loader/bind_reader.hpp"
#include "loader/features.hpp"
#include "loader/listener_reader.hpp"
#include "loader/namespace_reader.hpp"
#include "loader/reader_options.hpp"
#include "loader/table_reader.hpp"

namespace twtrace::loader {

class TableObject;

/// Owns the reader programs. Nothing is attached or pinned. They see every namespace of the kernel, whatever namespaces
/// this process is in. Once loaded they need no privilege (before Linux 5.19 they need CAP_BPF). Not thread-safe. A
/// moved-from object can only be destroyed or assigned to.
class Readers {
 public:
  /// Loads the programs, which needs CAP_BPF and CAP_PERFMON. kUnsupported if the kernel forbids bpf_probe_read_kernel
  /// (lockdown=confidentiality) or lacks something, kPermission without the privilege.
  static base::Result<Readers> open(const Features& features, const ReaderOptions& options = {});
  /// The same, for a caller who had to read the namespaces first. `options` adds the tracer.
  static base::Result<Readers> open(NamespaceReader namespaces, const Features& features, const ReaderOptions& options);

  Readers(Readers&&) noexcept;
  Readers& operator=(Readers&&) noexcept;
  ~Readers();

  NamespaceReader& namespaces() { return namespaces_; }
  TableReader& table() { return table_; }
  /// Reads the same tables. Its passes and those of table() may be in progress at the same time.
  TableReader& port_table() { return port_table_; }
  ListenerReader& listeners() { return listeners_; }
  BindReader& binds() { return binds_; }
  /// Of all programs.
  ReaderRuns runs() const;

 private:
  Readers(NamespaceReader namespaces, std::unique_ptr<TableObject> tables, TableReader table, TableReader port_table,
          ListenerReader listeners, BindReader binds);

  NamespaceReader namespaces_;
  std::unique_ptr<TableObject> tables_;
  TableReader table_;
  TableReader port_table_;
  ListenerReader listeners_;
  BindReader binds_;
};

}  // namespace twtrace::loader
