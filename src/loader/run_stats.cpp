// SPDX-License-Identifier: Apache-2.0
#include "loader/run_stats.hpp"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <cstddef>

namespace twtrace::loader {
namespace {

/// The bpf_link_info of a probe in Linux 6.7 (bpf_perf_link_fill_kprobe). Older headers lack it.
struct ProbeLinkInfo {
  __u32 type;
  __u32 id;
  __u32 program_id;
  __u32 padding;
  __u32 event_type;
  __u32 more_padding;
  __aligned_u64 function;  ///< 0: the name is not wanted
  __u32 name_length;
  __u32 offset;
  __u64 address;
  __u64 missed;
};

constexpr __u32 kKprobe = 3;  ///< of enum bpf_perf_event_type
constexpr __u32 kKretprobe = 4;

/// Fills `info` and returns how many bytes of it the kernel knows; 0 if the descriptor is of something else.
template <class Info>
__u32 read_info(int fd, Info& info) {
  __u32 length = sizeof(info);
  return bpf_obj_get_info_by_fd(fd, &info, &length) == 0 ? length : 0;
}

}  // namespace

void add_program(RunStats& sum, const std::string& name, int program_fd) {
  bpf_prog_info info{};
  const __u32 length = read_info(program_fd, info);
  if (length == 0) return;
  sum.run_ns_of[name] += info.run_time_ns;
  sum.run_ns += info.run_time_ns;
  sum.runs += info.run_cnt;
  if (length >= offsetof(bpf_prog_info, recursion_misses) + sizeof(info.recursion_misses)) {
    sum.recursion_misses = sum.recursion_misses.value_or(0) + info.recursion_misses;
  }
}

void add_link(RunStats& sum, int link_fd) {
  ProbeLinkInfo info{};
  if (read_info(link_fd, info) < sizeof(info) || info.type != BPF_LINK_TYPE_PERF_EVENT) return;
  if (info.event_type == kKprobe || info.event_type == kKretprobe) {
    sum.recursion_misses = sum.recursion_misses.value_or(0) + info.missed;
  }
}

}  // namespace twtrace::loader
