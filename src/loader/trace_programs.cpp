// SPDX-License-Identifier: Apache-2.0
#include "loader/trace_programs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <string_view>

#include "loader/libbpf_log.hpp"
#include "loader/load_error.hpp"

namespace twtrace::loader {
namespace {

bool is_iterator(std::string_view name) { return name.starts_with("scan_") || name.starts_with("sweep_"); }

bool is_wanted(std::string_view name, Backend backend, const Features& features) {
  return uses_program(backend, name) && (features.kernel_btf || !is_iterator(name));
}

void configure(twtrace_bpf& programs, const Features& features, const TracerOptions& options) {
  auto& config = *programs.rodata;
  config.tw_can_probe_read = features.probe_read;
  config.tw_has_task_btf = features.task_btf;
  config.tw_has_socket_cookie = features.socket_cookie;
  config.tw_cgroup_v1 = options.cgroup_v1;
  config.tw_match_local_port = options.match_local_port;
  config.tw_match_remote_port = options.match_remote_port;
  config.tw_mib_overflow = features.mib_overflow;
  config.tw_wakeup_bytes = options.ring_bytes / 4;
  config.tw_state_process_args = features.state_process_args;
  config.tw_scan_slice_mask = options.scan_slice - 1;
  bpf_map__set_max_entries(programs.maps.events, options.ring_bytes);
  bpf_map__set_max_entries(programs.maps.buckets, options.max_buckets);
  bpf_map__set_max_entries(programs.maps.slots, slot_count(options));
  config.tw_slot_mask = slot_count(options) - 1;
}

}  // namespace

std::uint32_t slot_count(const TracerOptions& options) {
  return std::bit_ceil(std::max(options.max_buckets, 1U << TW_SLOT_TAG_SHIFT));
}

base::Result<TracePrograms> open_programs(Backend backend, const Features& features, const TracerOptions& options) {
  bpf_object_open_opts open_options{};
  open_options.sz = sizeof(open_options);
  if (!options.btf_path.empty()) open_options.btf_custom_path = options.btf_path.c_str();
  TracePrograms programs(twtrace_bpf::open(&open_options));
  const int saved_errno = errno;
  if (!programs) return base::fail_errno(saved_errno, "cannot open the BPF object");
  configure(*programs, features, options);
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, programs->obj) {
    bpf_program__set_autoload(program, is_wanted(bpf_program__name(program), backend, features));
  }
  return programs;
}

base::Result<void> load_programs(twtrace_bpf& programs, Backend backend) {
  const LibbpfLog log;
  const int error = -twtrace_bpf::load(&programs);
  if (error == 0) return {};
  return tl::unexpected(load_error(error, log, fmt::format("the kernel refused the {} programs", to_string(backend))));
}

}  // namespace twtrace::loader
