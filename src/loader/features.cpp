// SPDX-License-Identifier: Apache-2.0
#include "loader/features.hpp"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <fmt/format.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <malloc.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <map>
#include <memory>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/nearest.hpp"
#include "base/unique_fd.hpp"
#include "loader/libbpf_log.hpp"

namespace twtrace::loader {
namespace {

constexpr const char* kKernelBtf = "/sys/kernel/btf/vmlinux";

/// A container or a chroot may have none, or something else there.
bool has_sysfs() {
  struct statfs found {};
  return ::statfs("/sys", &found) == 0 && found.f_type == SYSFS_MAGIC;
}

using BtfPtr = std::unique_ptr<btf, decltype(&btf__free)>;

/// Also returns the memory to the system. The types take as much as everything else, and libbpf reads them again.
void free_types(btf* types) {
  btf__free(types);
  ::malloc_trim(0);
}

bool has_function(const btf* types, const char* name) { return btf__find_by_name_kind(types, name, BTF_KIND_FUNC) > 0; }

/// Number of arguments of a kernel function; 0 if it does not exist.
std::uint32_t argument_count(const btf* types, const char* name) {
  const int id = btf__find_by_name_kind(types, name, BTF_KIND_FUNC);
  if (id <= 0) return 0;
  const btf_type* prototype = btf__type_by_id(types, btf__type_by_id(types, static_cast<__u32>(id))->type);
  return prototype == nullptr ? 0 : btf_vlen(prototype);
}

/// Number of values that a tracepoint hands to its programs; 0 if it does not exist. Its type has a pointer in
/// addition.
std::uint32_t tracepoint_values(const btf* types, const std::string& name) {
  const int id = btf__find_by_name_kind(types, ("btf_trace_" + name).c_str(), BTF_KIND_TYPEDEF);
  const btf_type* pointer =
      id <= 0 ? nullptr : btf__type_by_id(types, btf__type_by_id(types, static_cast<__u32>(id))->type);
  const btf_type* prototype = pointer == nullptr ? nullptr : btf__type_by_id(types, pointer->type);
  return prototype == nullptr || btf_vlen(prototype) == 0 ? 0 : btf_vlen(prototype) - 1U;
}

/// Names of the counters of tw_kernel_counters, in its order, and whether struct tcp_mib holds them.
struct CounterName {
  bool tcp;
  std::string_view name;
};
constexpr std::array<CounterName, TW_KERNEL_COUNTERS> kCounterNames = {{{false, "LINUX_MIB_TIMEWAITED"},
                                                                        {false, "LINUX_MIB_TIMEWAITKILLED"},
                                                                        {false, "LINUX_MIB_TIMEWAITRECYCLED"},
                                                                        {false, "LINUX_MIB_TCPTIMEWAITOVERFLOW"},
                                                                        {false, "LINUX_MIB_LISTENOVERFLOWS"},
                                                                        {false, "LINUX_MIB_LISTENDROPS"},
                                                                        {true, "TCP_MIB_ATTEMPTFAILS"},
                                                                        {true, "TCP_MIB_ESTABRESETS"},
                                                                        {true, "TCP_MIB_OUTRSTS"}}};
constexpr std::size_t kOverflow = 3;

/// Searches the anonymous enums for the counters, because CO-RE finds enums only by name.
void find_counters(const btf* types, const btf_type* type, CounterPlaces& places) {
  const struct btf_enum* values = btf_enum(type);
  for (__u16 i = 0; i < btf_vlen(type); ++i) {
    const std::string_view name = btf__name_by_offset(types, values[i].name_off);
    if (!name.starts_with("LINUX_MIB_") && !name.starts_with("TCP_MIB_")) return;
    for (std::size_t counter = 0; counter < kCounterNames.size(); ++counter) {
      const auto& [tcp, wanted] = kCounterNames.at(counter);
      if (name == wanted) places.at(counter) = {tcp, static_cast<std::uint32_t>(values[i].val)};
    }
  }
}

CounterPlaces counter_places(const btf* types) {
  CounterPlaces places;
  const __u32 count = btf__type_cnt(types);
  for (__u32 id = 1; id < count; ++id) {
    const btf_type* type = btf__type_by_id(types, id);
    if (btf_is_enum(type) && type->name_off == 0) find_counters(types, type, places);
  }
  return places;
}

bool has_member(const btf* types, const char* structure, std::string_view member) {
  const int id = btf__find_by_name_kind(types, structure, BTF_KIND_STRUCT);
  if (id <= 0) return false;
  const btf_type* type = btf__type_by_id(types, static_cast<__u32>(id));
  const ::btf_member* members = btf_members(type);
  for (__u16 i = 0; i < btf_vlen(type); ++i) {
    if (member == btf__name_by_offset(types, members[i].name_off)) return true;
  }
  return false;
}

constexpr bpf_insn instruction(unsigned code, unsigned to, unsigned from, std::int32_t value) {
  bpf_insn result{};
  result.code = static_cast<__u8>(code);
  result.dst_reg = to & 0xFU;
  result.src_reg = from & 0xFU;
  result.imm = value;
  return result;
}

constexpr std::array kDoNothing = {instruction(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0),
                                   instruction(BPF_JMP | BPF_EXIT, 0, 0, 0)};

/// False if the kernel refuses a program that looks at the files of processes, though it takes others: a hardened
/// kernel refuses whole kinds of programs. Without the privilege to ask, it rules out nothing.
bool takes_task_files(const btf* types) {
  const int function = btf__find_by_name_kind(types, "bpf_iter_task_file", BTF_KIND_FUNC);
  if (function <= 0) return false;
  bpf_prog_load_opts iterator{};
  iterator.sz = sizeof(iterator);
  iterator.expected_attach_type = BPF_TRACE_ITER;
  iterator.attach_btf_id = static_cast<__u32>(function);
  const base::UniqueFd wanted(
      bpf_prog_load(BPF_PROG_TYPE_TRACING, "tw_task_files", "GPL", kDoNothing.data(), kDoNothing.size(), &iterator));
  if (wanted) return true;
  const base::UniqueFd other(
      bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "tw_other", "GPL", kDoNothing.data(), kDoNothing.size(), nullptr));
  return !other;
}

/// False if the verifier refuses a program that calls bpf_probe_read_kernel. securityfs names the lockdown mode, but is
/// often not mounted, so this asks the kernel. Without the privilege to ask, it rules out nothing.
bool takes_probe_read() {
  constexpr std::array kProgram = {
      instruction(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_10, 0),
      instruction(BPF_ALU64 | BPF_ADD, BPF_REG_1, 0, -8),  // BPF_K is 0, and clang-tidy takes it for a mistake
      instruction(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, 0, 8),
      instruction(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0),
      instruction(BPF_JMP | BPF_CALL, 0, 0, BPF_FUNC_probe_read_kernel),
      instruction(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0),
      instruction(BPF_JMP | BPF_EXIT, 0, 0, 0),
  };
  const base::UniqueFd program(
      bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "tw_probe_read", "GPL", kProgram.data(), kProgram.size(), nullptr));
  return program || errno != EINVAL;
}

base::Result<void> switch_off(Features& features, const std::set<std::string>& names) {
  const std::map<std::string, bool*> known = {{"btf", &features.kernel_btf},
                                              {"fentry", &features.fentry},
                                              {"kprobe", &features.kprobe},
                                              {"tracepoint", &features.tracepoint},
                                              {"task-btf", &features.task_btf},
                                              {"socket-cookie", &features.socket_cookie},
                                              {"probe-read", &features.probe_read},
                                              {"readers", &features.readers},
                                              {"task-files", &features.task_files},
                                              {"growing-maps", &features.growing_maps},
                                              {"reset-reason", &features.reset_reason},
                                              {"counts-at-creation", &features.counts_at_creation}};
  for (const std::string& name : names) {
    const auto found = known.find(name);
    if (found == known.end()) {
      std::vector<std::string_view> all;
      all.reserve(known.size());
      for (const auto& [feature, flag] : known) all.emplace_back(feature);
      return base::fail(base::ErrorCode::kUsage, fmt::format("--no-feature: unknown feature \"{}\"", name),
                        base::expected_one_of(name, all));
    }
    *found->second = false;
  }
  return {};
}

}  // namespace

base::Result<Features> probe_features(const std::string& btf_path, const std::set<std::string>& switched_off) {
  Features features;
  features.kernel_btf = ::access(kKernelBtf, R_OK) == 0;
  if (auto off = switch_off(features, switched_off); !off) return tl::unexpected(off.error());
  if (!features.kernel_btf && btf_path.empty() && !has_sysfs()) {
    return base::fail(
        base::ErrorCode::kUnsupported,
        "nothing shows the BTF of this kernel, because there is no sysfs at /sys (/sys/kernel/btf/vmlinux)",
        "mount -t sysfs sysfs /sys, or start the container with -v /sys:/sys:ro");
  }
  if (!features.kernel_btf && btf_path.empty()) {
    return base::fail(base::ErrorCode::kUnsupported, "this kernel carries no BTF (/sys/kernel/btf/vmlinux)",
                      "boot a kernel built with CONFIG_DEBUG_INFO_BTF=y, or give its BTF with --btf FILE");
  }
  const std::string path = btf_path.empty() ? kKernelBtf : btf_path;
  // libbpf would wait for the other side of a FIFO.
  if (std::error_code error; std::filesystem::exists(path, error) && !std::filesystem::is_regular_file(path, error)) {
    return base::fail(base::ErrorCode::kInvalid, fmt::format("cannot read BTF from {}: it is not a regular file", path),
                      "name the raw BTF of this kernel, or an ELF file with a .BTF section");
  }
  const LibbpfLog log;  // otherwise libbpf prints its own lines
  const BtfPtr types(btf__parse(path.c_str(), nullptr), free_types);
  if (!types) {
    return base::fail(base::ErrorCode::kInvalid, fmt::format("cannot read BTF from {}", path),
                      "name the raw BTF of this kernel, or an ELF file with a .BTF section");
  }
  // Typed pointers need the kernel's own BTF. BTF from a file helps only CO-RE.
  features.task_btf = features.kernel_btf && has_function(types.get(), "bpf_get_current_task_btf");
  features.socket_cookie = has_function(types.get(), "bpf_get_socket_ptr_cookie");
  features.ipv6_connect = has_function(types.get(), "inet6_hash_connect");
  features.send_reset =
      has_function(types.get(), "tcp_v4_send_reset") && has_function(types.get(), "tcp_v6_send_reset");
  features.reset_reason = tracepoint_values(types.get(), "tcp_send_reset") > 2;
  features.counts_at_creation = has_member(types.get(), "inet_timewait_death_row", "tw_refcount");
  features.growing_maps = has_member(types.get(), "bpf_htab", "ma");
  features.counters = counter_places(types.get());
  features.mib_overflow = features.counters[kOverflow].index;
  const std::uint32_t arguments = argument_count(types.get(), "tcp_timewait_state_process");
  if (arguments > 3) features.state_process_args = arguments;
  features.probe_read = takes_probe_read();
  features.task_files = features.kernel_btf && takes_task_files(types.get());
  // Both came with 5.11 (d05512618056, 3ac1f01b43b6), and libbpf decides by the same function.
  features.memcg_charged = has_function(types.get(), "bpf_ktime_get_coarse_ns");
  if (auto off = switch_off(features, switched_off); !off) return tl::unexpected(off.error());
  return features;
}

}  // namespace twtrace::loader
