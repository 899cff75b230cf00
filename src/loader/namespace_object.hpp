// SPDX-License-Identifier: Apache-2.0
// The programs that read the namespaces (bpf/namespaces.bpf.c), for their reader and for the test of the verifier's
// budget.
#pragma once

#include <twtrace/abi.h>
// Its globals are structures of abi.h.
#include <namespaces.skel.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "loader/reader_object.hpp"

namespace twtrace::loader {

class NamespaceObject : public ReaderObject<namespaces_bpf> {
 public:
  /// Opens and configures the object, without loading it into the kernel. Errors as Readers::open().
  static base::Result<std::unique_ptr<NamespaceObject>> prepare(const Features& features, const ReaderOptions& options);

  /// Finds out where each CPU keeps its counters. Once, after load(). kUnsupported if the kernel does not tell.
  base::Result<void> learn_cpus();

 private:
  NamespaceObject() = default;
  base::Result<void> configure(const Features& features, const ReaderOptions& options);

  std::vector<std::uint32_t> cpus_;
};

}  // namespace twtrace::loader
