// SPDX-License-Identifier: Apache-2.0
// The BPF programs, loaded and attached, and what user space reads of them.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "loader/backend.hpp"
#include "loader/features.hpp"
#include "loader/map_sizes.hpp"
#include "loader/readers.hpp"
#include "loader/run_stats.hpp"

namespace twtrace::loader {

struct TracerOptions {
  std::optional<Backend> backend;  ///< nothing: the first that works
  std::string btf_path;            ///< BTF of this kernel for hosts that carry none; empty: the kernel's own
  MapSizes sizes;
  std::uint16_t match_local_port = 0;  ///< 0: all. Others are counted too, in rows with matched = 0
  std::uint16_t match_remote_port = 0;
  bool cgroup_v1 = false;             ///< services live in the v1 hierarchy name=systemd
  std::uint32_t sweep_slice = 16384;  ///< map entries that Pace::kSlice goes through; a power of two
};

/// The path of a cgroup as the kernel side recorded it.
struct CgroupPath {
  std::string path;
  bool truncated = false;
};

/// How far one call of a sweep goes.
enum class Pace {
  kWhole,  ///< to the end
  kSlice,  ///< some TracerOptions::sweep_slice further: a few milliseconds, whatever the size of the maps
};

/// Whether a slot of namespaces() or rows() may be read. Loads after it see what was stored before the slot was
/// published, also on processors that reorder loads; the counts go on changing.
template <class Slot>
bool is_published(const Slot& slot) {
  return __atomic_load_n(&slot.in_use, __ATOMIC_ACQUIRE) != 0;
}

/// Owns the loaded object, its links and its mappings: all of it goes away with the Tracer, nothing is pinned. Not
/// thread-safe. A moved-from Tracer can only be destroyed or assigned to.
class Tracer {
 public:
  /// Loads and attaches the first backend that works, or the one asked for. Nothing is counted before enable().
  /// kUnsupported or kPermission when none does; the error names every backend's reason. With ENOMEM as sys_errno:
  /// smaller maps may do.
  static base::Result<Tracer> open(const Features& features, const TracerOptions& options);

  Tracer(Tracer&&) noexcept;
  Tracer& operator=(Tracer&&) noexcept;
  ~Tracer();

  Backend backend() const;
  /// Of its maps: as they were asked for.
  const MapSizes& sizes() const;
  /// One sentence per backend that was passed over.
  const std::vector<std::string>& fallbacks() const;
  /// Programs of the backend that this kernel could not take, with the reason; empty when all are attached.
  const std::vector<std::string>& missing_programs() const;

  /// Starts and stops counting in all programs at once.
  void set_enabled(bool enabled);

  /// The namespace slots up to the highest that was ever handed out; read those that is_published().
  std::span<const tw_netns> namespaces() const;
  /// The namespace of a slot, published or not; that of TW_NETNS_OTHER when there is no such slot.
  const tw_netns& netns_at(std::uint32_t slot) const;
  /// The row slots up to the highest that was ever handed out; read those that is_published().
  std::span<const tw_row> rows();
  /// The row in a slot; nullptr when there is no such slot or it is not published. Cheap: for every event.
  const tw_row* row_at(std::uint32_t slot) const;
  /// Takes a row out of use: no process can count into it any more, see tw_row.pending. Its numbers are gone. False
  /// when the kernel side still finds it by its key: it stays as it was, and may be tried again.
  bool recycle_row(std::uint32_t id);

  /// Empty when the kernel side recorded none.
  std::optional<CgroupPath> cgroup_path(std::uint64_t id) const;

  /// For readers that credit buckets to the rows of this tracer.
  TracerState state() const;

  /// Starts a scan: from here on readers that credit buckets to the rows of this tracer count anew. Then the readers go
  /// through all tables, then sweep() until it says true.
  void begin_scan();
  /// Forgets what two scans in a row no longer found; the buckets among it are put behind those in `gone`. True when
  /// that is done. kUnsupported when the kernel cannot iterate over maps.
  base::Result<bool> sweep(std::vector<tw_swept_bucket>& gone, Pace pace);

  /// Readable when the ring crossed its watermark.
  int ring_fd() const;
  /// Hands on at most `limit` events; returns how many. The reference is valid during the call.
  base::Result<std::size_t> drain(const std::function<void(const tw_event&)>& handler, std::size_t limit);

  tw_stats stats() const;
  RunStats run_stats() const;

 private:
  class Impl;
  explicit Tracer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace twtrace::loader
