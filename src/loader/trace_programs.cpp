// SPDX-License-Identifier: Apache-2.0
#include "loader/trace_programs.hpp"

#include <fmt/format.h>

#include <bit>
#include <cerrno>
#include <string_view>

#include "loader/libbpf_log.hpp"
#include "loader/load_error.hpp"

namespace twtrace::loader {
namespace {

constexpr std::string_view kFindSockets = "find_sockets";

bool is_wanted(std::string_view name, Backend backend, const Features& features) {
  if (name == "on_fexit_no_port_v6" && !features.ipv6_connect) return false;
  if ((name == kFindSockets || name == "claim_listener") && !features.probe_read) return false;
  if (name == kFindSockets && !features.task_files) return false;
  if (name == "begin_refusals") return !sees_refusal(backend);
  return uses_program(backend, name, features);
}

/// The resolution of a coarse clock is a jiffy (KTIME_LOW_RES of include/linux/ktime.h, all versions). 0: not known.
std::uint32_t jiffy_ns() {
  timespec resolution{};
  if (::clock_getres(CLOCK_MONOTONIC_COARSE, &resolution) != 0 || resolution.tv_sec != 0) return 0;
  return static_cast<std::uint32_t>(resolution.tv_nsec);
}

void configure(twtrace_bpf& programs, Backend backend, const Features& features, const TracerOptions& options) {
  auto& config = *programs.rodata;
  config.tw_can_probe_read = features.probe_read;
  config.tw_has_task_btf = features.task_btf;
  config.tw_has_socket_cookie = features.socket_cookie;
  config.tw_cgroup_v1 = options.cgroup_v1;
  config.tw_match_local_port = options.match_local_port;
  config.tw_match_remote_port = options.match_remote_port;
  config.tw_mib_overflow = features.mib_overflow;
  config.tw_resets_by_function = resets_by_function(backend, features);
  config.tw_jiffy_ns = jiffy_ns();
  config.tw_wakeup_bytes = options.sizes.ring_bytes / 4;
  config.tw_state_process_args = features.state_process_args;
  config.tw_slot_mask = slot_count(options.sizes) - 1;
  config.tw_owner_mask = std::bit_floor(options.sizes.rows) - 1;
}

void resize_maps(twtrace_bpf& programs, const MapSizes& sizes) {
  auto& maps = programs.maps;
  bpf_map__set_max_entries(maps.rows, sizes.rows);
  bpf_map__set_max_entries(maps.row_ids, sizes.rows);
  bpf_map__set_max_entries(maps.free_rows, sizes.rows);
  bpf_map__set_max_entries(maps.owner_rows, sizes.rows);
  bpf_map__set_max_entries(maps.processes, sizes.rows);
  bpf_map__set_max_entries(maps.namespaces, sizes.namespaces);
  bpf_map__set_max_entries(maps.netns_ids, sizes.namespaces);
  bpf_map__set_max_entries(maps.free_netns, sizes.namespaces);
  bpf_map__set_max_entries(maps.overflow_counters, sizes.namespaces);
  bpf_map__set_max_entries(maps.cgroups, sizes.cgroups);
  bpf_map__set_max_entries(maps.sockets, sizes.sockets);
  bpf_map__set_max_entries(maps.buckets, sizes.buckets);
  bpf_map__set_max_entries(maps.slots, slot_count(sizes));
  bpf_map__set_max_entries(maps.refused_connections, refused_count(sizes));
  bpf_map__set_max_entries(maps.refused_order, refused_count(sizes));
  bpf_map__set_max_entries(maps.felt_resets, felt_count(sizes));
  bpf_map__set_max_entries(maps.events, sizes.ring_bytes);
}

/// Hash maps take memory for what they hold, and not for all that they could hold. Not `pairs`, which every kprobe
/// uses.
void let_maps_grow(twtrace_bpf& programs) {
  const auto& maps = programs.maps;
  for (bpf_map* map : {maps.row_ids, maps.processes, maps.netns_ids, maps.cgroups, maps.sockets, maps.buckets,
                       maps.refused_connections, maps.felt_resets, maps.listener_rows}) {
    bpf_map__set_map_flags(map, bpf_map__map_flags(map) | BPF_F_NO_PREALLOC);
  }
}

}  // namespace

base::Result<TracePrograms> open_programs(Backend backend, const Features& features, const TracerOptions& options) {
  bpf_object_open_opts open_options{};
  open_options.sz = sizeof(open_options);
  if (!options.btf_path.empty()) open_options.btf_custom_path = options.btf_path.c_str();
  TracePrograms programs(twtrace_bpf::open(&open_options));
  const int saved_errno = errno;
  if (!programs) return base::fail_errno(saved_errno, "cannot open the BPF object");
  configure(*programs, backend, features, options);
  resize_maps(*programs, options.sizes);
  if (features.growing_maps) let_maps_grow(*programs);
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
