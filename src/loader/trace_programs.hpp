// SPDX-License-Identifier: Apache-2.0
// The object of the tracing programs (bpf/twtrace.bpf.c) on its way into the kernel. Private to this folder, and to the
// test that measures what the verifier spends on it.
#pragma once

#include <twtrace/abi.h>
// Its globals are structures of abi.h.
#include <twtrace.skel.h>

#include <memory>

#include "base/result.hpp"
#include "loader/libbpf_ptr.hpp"
#include "loader/tracer_options.hpp"

namespace twtrace::loader {

/// Owns the object: programs and maps leave the kernel with it.
using TracePrograms = std::unique_ptr<twtrace_bpf, Destroyer<twtrace_bpf, twtrace_bpf::destroy>>;

/// Opens the object and configures the programs of `backend`. Nothing is in the kernel yet.
base::Result<TracePrograms> open_programs(Backend backend, const Features& features, const TracerOptions& options);

/// Loads what was opened: its maps, and the programs of the backend. Errors as load_error().
base::Result<void> load_programs(twtrace_bpf& programs, Backend backend);

}  // namespace twtrace::loader
