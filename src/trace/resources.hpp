// SPDX-License-Identifier: Apache-2.0
// What tracing needs within the limits of this process: memory and open files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "kernel/memory_room.hpp"
#include "loader/features.hpp"
#include "loader/map_sizes.hpp"
#include "loader/tracer.hpp"

namespace twtrace::trace {

/// Sizes of the kernel side's maps, and what to tell the user about them.
struct MapPlan {
  loader::MapSizes sizes;
  std::string notice;  ///< names the maps that are smaller than wanted, and why; empty when none is

  bool operator==(const MapPlan&) const = default;
};

/// The largest sizes that leave enough of `room` for everything else; the wanted ones when there is no limit.
/// kUnsupported, naming the limit that would do, when even the least maps do not fit. `cpus`: possible CPUs. Pure.
base::Result<MapPlan> plan_maps(const loader::MapSizes& wanted, const std::optional<kernel::MemoryRoom>& room,
                                std::uint32_t cpus);

/// plan_maps() for this machine. `room` is what prepare_resources() found: what has been taken since is a part of what
/// the plan leaves for everything else.
base::Result<MapPlan> plan_maps_here(const loader::MapSizes& wanted, const std::optional<kernel::MemoryRoom>& room);

/// Raises the soft limit of open files to the hard one. kUnsupported, naming the limit, when they do not suffice for
/// any tracing. Call it before anything else: later, too few files look like another error.
base::Result<void> raise_open_files();

/// Says in the hint of an error that there is no memory (ENOMEM) that the limit of the address space may be why, if
/// there is one.
void name_address_space_limit(base::Error& error);

/// raise_open_files(), and kUnsupported, naming the limit, when memory does not suffice for any tracing. Call it before
/// much is done: too little memory kills the process. Returns how much memory there is; empty without a limit.
base::Result<std::optional<kernel::MemoryRoom>> prepare_resources();

/// What open_tracer() opened.
struct OpenTracer {
  loader::Tracer tracer;
  std::string notice;  ///< as in MapPlan
};

/// Tracer::open() with maps as planned; while the kernel refuses them with ENOMEM, with maps half as large.
base::Result<OpenTracer> open_tracer(const loader::Features& features, loader::TracerOptions options,
                                     const MapPlan& plan);

}  // namespace twtrace::trace
