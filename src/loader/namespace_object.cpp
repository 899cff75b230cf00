// SPDX-License-Identifier: Apache-2.0
#include "loader/namespace_object.hpp"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "kernel/cpu_list.hpp"
#include "loader/mapped_array.hpp"

namespace twtrace::loader {
namespace {

constexpr std::uint32_t kCpusAtOnce = 64;  // PERCPU_AT_ONCE

}  // namespace

base::Result<std::unique_ptr<NamespaceObject>> NamespaceObject::prepare(const Features& features,
                                                                        const ReaderOptions& options) {
  std::unique_ptr<NamespaceObject> object(new NamespaceObject());
  if (auto configured = object->configure(features, options); !configured) return tl::unexpected(configured.error());
  return object;
}

base::Result<void> NamespaceObject::configure(const Features& features, const ReaderOptions& options) {
  if (auto opened = open(features, options); !opened) return opened;
  auto cpus = kernel::possible_cpus();
  if (!cpus) return tl::unexpected(cpus.error());
  cpus_ = std::move(*cpus);
  const MibPlan plan = plan_mib_spans(features.counters);
  std::copy(plan.spans.begin(), plan.spans.end(), skeleton().rodata->tw_mib_spans);
  std::copy(plan.places.begin(), plan.places.end(), skeleton().rodata->tw_mib_places);
  skeleton().rodata->tw_cpu_count = static_cast<__u32>(cpus_.size());
  bpf_map__set_max_entries(skeleton().maps.cpus, skeleton().rodata->tw_cpu_count);
  return {};
}

base::Result<void> NamespaceObject::learn_cpus() {
  std::vector<__u64> marks;
  for (const std::uint32_t cpu : cpus_) marks.push_back(cpu + 1ULL);
  const __u32 zero = 0;
  if (bpf_map_update_elem(bpf_map__fd(skeleton().maps.cpu_marks), &zero, marks.data(), BPF_ANY) != 0) {
    return base::fail_errno(errno, "cannot write a per-CPU BPF map");
  }
  const auto array = MappedArray<tw_cpu>::map(bpf_map__fd(skeleton().maps.cpus), cpus_.size(), "cpus");
  if (!array) return tl::unexpected(array.error());
  const auto cpus = array->values();
  for (std::size_t i = 0; i < cpus.size(); ++i) cpus[i].id = cpus_[i];
  for (std::uint32_t first = 0; first < cpus.size(); first += kCpusAtOnce) {
    skeleton().bss->tw_first_cpu = first;
    if (auto learned = run(skeleton().progs.learn_cpus); !learned) return learned;
  }
  if (std::any_of(cpus.begin(), cpus.end(), [](const tw_cpu& cpu) { return cpu.known == 0; })) {
    return base::fail(base::ErrorCode::kUnsupported, "this kernel does not tell where each CPU keeps its counters");
  }
  return {};
}

}  // namespace twtrace::loader
