// SPDX-License-Identifier: Apache-2.0
#include "loader/table_object.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>

namespace twtrace::loader {
namespace {

/// The maps that are not the tracer's.
constexpr std::array<std::string_view, 3> kOwnMaps = {"socket_readings", "listener_readings", "bind_readings"};

}  // namespace

base::Result<std::unique_ptr<TableObject>> TableObject::prepare(const Features& features,
                                                                const ReaderOptions& options) {
  std::unique_ptr<TableObject> object(new TableObject());
  if (auto opened = object->open(features, options); !opened) return tl::unexpected(opened.error());
  if (auto shared = object->share_maps(options.tracer); !shared) return tl::unexpected(shared.error());
  return object;
}

/// Uses the maps of the tracer. Without a tracer it makes them as small as possible, and they stay empty. Leaves out
/// the other maps that come with the tracer's headers.
base::Result<void> TableObject::share_maps(const std::optional<TracerState>& tracer) {
  const TracerState shared = tracer.value_or(TracerState{});
  const std::map<std::string_view, int> wanted = {
      {"rows", shared.rows}, {"slots", shared.slots}, {"sockets", shared.sockets}, {"buckets", shared.buckets}};
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, skeleton().obj) {
    const std::string_view name = bpf_map__name(map);
    const auto found = wanted.find(name);
    if (found != wanted.end()) {
      const int error = -(tracer ? bpf_map__reuse_fd(map, found->second) : bpf_map__set_max_entries(map, 1));
      if (error != 0) return base::fail_errno(error, "cannot share the BPF map " + std::string(name));
    } else if (!bpf_map__is_internal(map) && std::find(kOwnMaps.begin(), kOwnMaps.end(), name) == kOwnMaps.end()) {
      bpf_map__set_autocreate(map, false);
    }
  }
  skeleton().rodata->tw_slot_mask = shared.slot_mask;
  scan_ = shared.scan;
  return {};
}

base::Result<void> TableObject::continue_walk(tw_walk& walk) {
  if (scan_ != nullptr) skeleton().bss->tw_scan = *scan_;
  tw_walk& shared = skeleton().bss->tw_walk;
  shared = walk;
  auto ran = run(skeleton().progs.walk_sockets);
  walk = shared;
  return ran;
}

base::Result<void> TableObject::continue_walk(tw_bind_walk& walk) {
  tw_bind_walk& shared = skeleton().bss->tw_bind_walk;
  shared = walk;
  auto ran = run(skeleton().progs.walk_binds);
  walk = shared;
  return ran;
}

}  // namespace twtrace::loader
