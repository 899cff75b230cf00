// SPDX-License-Identifier: Apache-2.0
#include "loader/reader_object.hpp"

#include <bpf/bpf.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "kernel/cpu_list.hpp"
#include "loader/libbpf_log.hpp"
#include "loader/load_error.hpp"

namespace twtrace::loader {
namespace {

constexpr std::uint32_t kCpusAtOnce = 64;  // PERCPU_AT_ONCE

/// The maps of the readers' own.
constexpr std::array<std::string_view, 5> kOwnMaps = {"cpus", "cpu_marks", "namespace_readings", "socket_readings",
                                                      "listener_readings"};

base::Result<void> check(const Features& features) {
  if (!features.readers) return base::fail(base::ErrorCode::kUnsupported, "the reader programs are switched off");
  if (!features.probe_read) {
    return base::fail(base::ErrorCode::kUnsupported,
                      "the reader programs need bpf_probe_read_kernel, which this kernel forbids "
                      "(lockdown=confidentiality)",
                      "boot with lockdown=integrity instead");
  }
  const bool all_named = std::all_of(features.counters.begin(), features.counters.end(),
                                     [](const CounterPlace& counter) { return counter.index != 0; });
  if (!all_named) return base::fail(base::ErrorCode::kUnsupported, "the kernel's BTF does not name its TCP counters");
  return {};
}

}  // namespace

base::Result<void> ReaderObject::configure(const Features& features, const ReaderOptions& options) {
  if (auto possible = check(features); !possible) return possible;
  auto cpus = kernel::possible_cpus();
  if (!cpus) return tl::unexpected(cpus.error());
  cpus_ = std::move(*cpus);
  bpf_object_open_opts open_options{};
  open_options.sz = sizeof(open_options);
  if (!options.btf_path.empty()) open_options.btf_custom_path = options.btf_path.c_str();
  skeleton_.reset(readers_bpf::open(&open_options));
  const int saved_errno = errno;
  if (!skeleton_) return base::fail_errno(saved_errno, "cannot open the BPF object of the readers");
  const MibPlan plan = plan_mib_spans(features.counters);
  std::copy(plan.spans.begin(), plan.spans.end(), skeleton_->rodata->tw_mib_spans);
  std::copy(plan.places.begin(), plan.places.end(), skeleton_->rodata->tw_mib_places);
  skeleton_->rodata->tw_cpu_count = static_cast<__u32>(cpus_.size());
  skeleton_->data->tw_run_ns = options.run_ns;
  bpf_map__set_max_entries(skeleton_->maps.cpus, skeleton_->rodata->tw_cpu_count);
  return share_maps(options.tracer);
}

/// Takes the maps of the tracer, or makes them as small as they can be: then they are empty. The others that come with
/// its headers are left out.
base::Result<void> ReaderObject::share_maps(const std::optional<TracerState>& tracer) {
  const TracerState shared = tracer.value_or(TracerState{});
  const std::map<std::string_view, int> wanted = {
      {"rows", shared.rows}, {"slots", shared.slots}, {"sockets", shared.sockets}, {"buckets", shared.buckets}};
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, skeleton_->obj) {
    const std::string_view name = bpf_map__name(map);
    const auto found = wanted.find(name);
    if (found != wanted.end()) {
      const int error = -(tracer ? bpf_map__reuse_fd(map, found->second) : bpf_map__set_max_entries(map, 1));
      if (error != 0) return base::fail_errno(error, "cannot share the BPF map " + std::string(name));
    } else if (!bpf_map__is_internal(map) && std::find(kOwnMaps.begin(), kOwnMaps.end(), name) == kOwnMaps.end()) {
      bpf_map__set_autocreate(map, false);
    }
  }
  skeleton_->rodata->tw_slot_mask = shared.slot_mask;
  scan_ = shared.scan;
  return {};
}

base::Result<void> ReaderObject::load() {
  const LibbpfLog log;
  const int error = -readers_bpf::load(skeleton_.get());
  if (error != 0) return tl::unexpected(load_error(error, log, "the kernel refused the reader programs"));
  return {};
}

base::Result<void> ReaderObject::learn_cpus() {
  std::vector<__u64> marks;
  for (const std::uint32_t cpu : cpus_) marks.push_back(cpu + 1ULL);
  const __u32 zero = 0;
  if (bpf_map_update_elem(bpf_map__fd(skeleton_->maps.cpu_marks), &zero, marks.data(), BPF_ANY) != 0) {
    return base::fail_errno(errno, "cannot write a per-CPU BPF map");
  }
  const auto array = MappedArray<tw_cpu>::map(bpf_map__fd(skeleton_->maps.cpus), cpus_.size(), "cpus");
  if (!array) return tl::unexpected(array.error());
  const auto cpus = array->values();
  for (std::size_t i = 0; i < cpus.size(); ++i) cpus[i].id = cpus_[i];
  for (std::uint32_t first = 0; first < cpus.size(); first += kCpusAtOnce) {
    skeleton_->bss->tw_first_cpu = first;
    if (auto learned = run(skeleton_->progs.learn_cpus); !learned) return learned;
  }
  if (std::any_of(cpus.begin(), cpus.end(), [](const tw_cpu& cpu) { return cpu.known == 0; })) {
    return base::fail(base::ErrorCode::kUnsupported, "this kernel does not tell where each CPU keeps its counters");
  }
  return {};
}

base::Result<std::unique_ptr<ReaderObject>> ReaderObject::prepare(const Features& features,
                                                                  const ReaderOptions& options) {
  std::unique_ptr<ReaderObject> object(new ReaderObject());
  if (auto configured = object->configure(features, options); !configured) return tl::unexpected(configured.error());
  return object;
}

base::Result<std::unique_ptr<ReaderObject>> ReaderObject::open(const Features& features, const ReaderOptions& options) {
  auto object = prepare(features, options);
  if (!object) return object;
  if (auto loaded = (*object)->load(); !loaded) return tl::unexpected(loaded.error());
  if (auto learned = (*object)->learn_cpus(); !learned) return tl::unexpected(learned.error());
  return object;
}

base::Result<void> ReaderObject::run(const bpf_program* program) {
  if (scan_ != nullptr) skeleton_->bss->tw_scan = *scan_;
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  const int error = -bpf_prog_test_run_opts(bpf_program__fd(program), &options);
  if (error != 0) {
    return base::fail_errno(error, std::string("cannot run ") + bpf_program__name(program),
                            error == EPERM ? "before Linux 5.19 that takes CAP_BPF" : "");
  }
  const std::uint64_t took_ns = skeleton_->bss->tw_run_took_ns;
  ++runs_.count;
  runs_.total_ns += took_ns;
  runs_.longest_ns = std::max(runs_.longest_ns, took_ns);
  return {};
}

}  // namespace twtrace::loader
