// SPDX-License-Identifier: Apache-2.0
#include "trace/resources.hpp"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "base/format.hpp"
#include "kernel/cpu_list.hpp"

namespace twtrace::trace {
namespace {

/// Maps, programs, links, iterators and files of /proc at once: 40 to 80, depending on the backend.
constexpr rlim_t kOpenFiles = 128;
/// Kernel memory beside the maps: programs, BTF, and the verifier's while it loads them. Measured: 6 MiB.
constexpr std::uint64_t kProgramBytes = 8U << 20U;
/// User space while libbpf reads the kernel's BTF. Measured.
constexpr std::uint64_t kBtfBytes = 12U << 20U;
/// User space at most: the tables and the output take the room of the BTF later.
constexpr std::uint64_t kProcessBytes = 24U << 20U;
constexpr std::uint64_t kBesideMaps = kProgramBytes + kProcessBytes;

std::uint32_t cpu_count() {
  const auto cpus = kernel::possible_cpus();
  return cpus ? static_cast<std::uint32_t>(cpus->size()) : 1;
}

tl::unexpected<base::Error> too_little(const kernel::MemoryRoom& room, std::uint64_t needed) {
  constexpr std::uint64_t kMiB = 1U << 20U;
  const std::uint64_t enough = (room.limit + needed - room.free + kMiB - 1) / kMiB;
  return base::fail(
      base::ErrorCode::kUnsupported,
      fmt::format("tracing needs {} of memory, but {} leaves {} of {}", base::bytes(needed), room.file,
                  base::bytes(room.free), base::bytes(room.limit)),
      fmt::format("raise that limit to {0}M: MemoryMax={0}M in a unit, --memory={0}m for a container", enough));
}

std::string notice_of(const std::string& why, const loader::MapSizes& sizes, const loader::MapSizes& wanted) {
  return fmt::format("{}: maps hold only {}; what does not fit is counted without its owner", why,
                     loader::describe_smaller(sizes, wanted));
}

/// The kernel frees the maps of a backend that did not work some time after they were closed. Until then they count
/// against the limit, and with those of the next backend they may reach it, which would kill this process. Waits until
/// there is room for maps of `sizes`, but not for long.
void await_room(const loader::MapSizes& sizes, std::uint32_t cpus) {
  constexpr int kPatience = 200;
  constexpr auto kPause = std::chrono::milliseconds(10);
  const std::uint64_t needed = loader::kernel_bytes(sizes, cpus) + kProgramBytes + kBtfBytes;
  for (int looks = 0; looks < kPatience; ++looks) {
    const auto room = kernel::memory_room(kernel::Procfs());
    if (!room || room->free >= needed) return;
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

base::Result<MapPlan> plan_maps(const loader::MapSizes& wanted, const std::optional<kernel::MemoryRoom>& room,
                                std::uint32_t cpus) {
  if (!room) return MapPlan{wanted, ""};
  const std::uint64_t needed = kBesideMaps + loader::kernel_bytes(loader::least(wanted), cpus);
  if (room->free < needed) return too_little(*room, needed);
  const auto sizes = loader::fit(wanted, room->free - kBesideMaps, cpus);
  MapPlan plan{sizes.value_or(loader::least(wanted)), ""};
  if (plan.sizes == wanted) return plan;
  plan.notice =
      notice_of(fmt::format("{} leaves {} of memory", room->file, base::bytes(room->free)), plan.sizes, wanted);
  return plan;
}

base::Result<void> raise_open_files() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < files.rlim_max) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    ::getrlimit(RLIMIT_NOFILE, &files);
  }
  if (files.rlim_cur >= kOpenFiles) return {};
  return base::fail(
      base::ErrorCode::kUnsupported,
      fmt::format("the limit of open files (RLIMIT_NOFILE) is {}, and tracing needs {}", files.rlim_cur, kOpenFiles),
      "raise it: ulimit -n 1024 in the shell, LimitNOFILE=1024 in a unit");
}

void name_address_space_limit(base::Error& error) {
  rlimit space{};
  if (error.sys_errno != ENOMEM || ::getrlimit(RLIMIT_AS, &space) != 0 || space.rlim_cur == RLIM_INFINITY) return;
  error.hint = fmt::format(
      "the limit of the address space (RLIMIT_AS) is {}; raise it: ulimit -v unlimited in the shell, LimitAS=infinity "
      "in a unit",
      base::bytes(space.rlim_cur));
}

base::Result<std::optional<kernel::MemoryRoom>> prepare_resources() {
  if (auto raised = raise_open_files(); !raised) return tl::unexpected(raised.error());
  auto room = kernel::memory_room(kernel::Procfs());
  if (const auto plan = plan_maps_here({}, room); !plan) return tl::unexpected(plan.error());
  return room;
}

base::Result<MapPlan> plan_maps_here(const loader::MapSizes& wanted, const std::optional<kernel::MemoryRoom>& room) {
  return plan_maps(wanted, room, cpu_count());
}

base::Result<OpenTracer> open_tracer(const loader::Features& features, loader::TracerOptions options,
                                     const MapPlan& plan) {
  const loader::MapSizes wanted = options.sizes;
  const std::uint32_t cpus = cpu_count();
  std::string notice = plan.notice;
  options.sizes = plan.sizes;
  while (true) {
    options.before_backend = [sizes = options.sizes, cpus] { await_room(sizes, cpus); };
    auto tracer = loader::Tracer::open(features, options);
    ::malloc_trim(0);  // what libbpf took to load
    if (tracer) return OpenTracer{std::move(*tracer), std::move(notice)};
    if (tracer.error().sys_errno != ENOMEM) return tl::unexpected(tracer.error());
    // There is a limit that this process cannot see, as in a container.
    const auto smaller = loader::fit(options.sizes, loader::kernel_bytes(options.sizes, cpus) / 2, cpus);
    if (!smaller) return tl::unexpected(tracer.error());
    options.sizes = *smaller;
    notice = notice_of("the kernel grants no more memory", *smaller, wanted);
  }
}

}  // namespace twtrace::trace
