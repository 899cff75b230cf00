// SPDX-License-Identifier: Apache-2.0
#include "loader/reader_object.hpp"

#include <bpf/bpf.h>

#include <string>

namespace twtrace::loader {

base::Result<void> check_readers(const Features& features) {
  if (!features.readers) return base::fail(base::ErrorCode::kUnsupported, "the BPF reader programs are switched off");
  if (!features.probe_read) {
    return base::fail(base::ErrorCode::kUnsupported,
                      "the BPF reader programs need bpf_probe_read_kernel, which this kernel forbids "
                      "(lockdown=confidentiality)",
                      "boot with lockdown=integrity instead");
  }
  const bool all_named = std::all_of(features.counters.begin(), features.counters.end(),
                                     [](const CounterPlace& counter) { return counter.index != 0; });
  if (!all_named) return base::fail(base::ErrorCode::kUnsupported, "the kernel's BTF does not name its TCP counters");
  return {};
}

base::Result<void> run_reader(const bpf_program* program) {
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  const int error = -bpf_prog_test_run_opts(bpf_program__fd(program), &options);
  if (error != 0) {
    return base::fail_errno(error, std::string("cannot run ") + bpf_program__name(program),
                            error == EPERM ? "before Linux 5.19 that takes CAP_BPF" : "");
  }
  return {};
}

}  // namespace twtrace::loader
