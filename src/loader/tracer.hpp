// SPDX-License-Identifier: Apache-2.0
// The loaded and attached BPF programs, and what user space reads from them.
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
#include "loader/felt_resets.hpp"
#include "loader/listener_rows.hpp"
#include "loader/map_sizes.hpp"
#include "loader/readers.hpp"
#include "loader/run_stats.hpp"
#include "loader/swept_bucket.hpp"
#include "loader/tracer_options.hpp"

namespace twtrace::loader {

/// The path of a cgroup as the kernel side recorded it.
struct CgroupPath {
  std::string path;
  bool truncated = false;
};

/// True if a slot of namespaces() or rows() may be read. Later loads see what was stored before the slot was published,
/// even on processors that reorder loads. The counts go on changing.
template <class Slot>
bool is_published(const Slot& slot) {
  return __atomic_load_n(&slot.in_use, __ATOMIC_ACQUIRE) != 0;
}

/// Owns the loaded object, its links and its mappings. All of them go away with the Tracer; nothing is pinned. Not
/// thread-safe. A moved-from Tracer can only be destroyed or assigned to.
class Tracer {
 public:
  /// Loads and attaches the first backend that works, or the requested one. Nothing is counted before enable().
  /// kUnsupported or kPermission if none works; the error names the reason of every backend. With ENOMEM as sys_errno,
  /// smaller maps may work.
  static base::Result<Tracer> open(const Features& features, const TracerOptions& options);

  Tracer(Tracer&&) noexcept;
  Tracer& operator=(Tracer&&) noexcept;
  ~Tracer();

  Backend backend() const;
  /// Of its maps: as they were asked for.
  const MapSizes& sizes() const;
  /// One sentence per backend that was not used.
  const std::vector<std::string>& fallbacks() const;
  /// Programs of the backend that this kernel did not accept, with the reason; empty if all are attached.
  const std::vector<std::string>& missing_programs() const;

  /// Whether the programs that count failed connects, failed binds, or resets, are attached.
  bool sees_no_port() const;
  bool sees_no_port_bind() const;
  bool sees_resets_received() const;
  bool sees_resets_sent() const;
  /// False: only resets for a socket are seen, listening sockets included.
  bool sees_all_resets_sent() const;

  /// Takes note of how many refusals each CPU has counted in those of these namespaces that have refused, so that the
  /// first abort on a CPU is not taken for a refusal. Call it before counting starts. Not for a backend that
  /// sees_refusal().
  void begin_refusals(std::span<const tw_namespace_reading> namespaces);

  /// Starts and stops counting in all programs at once.
  void set_enabled(bool enabled);

  /// The kernel's CLOCK_BOOTTIME now, in nanoseconds. In a time namespace this is not what clock_gettime() says.
  base::Result<std::uint64_t> boottime_ns() const;

  /// The namespace slots up to the highest one ever handed out. Read only those that is_published().
  std::span<const tw_netns> namespaces() const;
  /// The namespace of a slot, published or not; that of TW_NETNS_OTHER if there is no such slot.
  const tw_netns& netns_at(std::uint32_t slot) const;
  /// The row slots up to the highest one ever handed out. Read only those that is_published().
  std::span<const tw_row> rows();
  /// The row in a slot; nullptr if there is no such slot or it is not published. Cheap enough for every event.
  const tw_row* row_at(std::uint32_t slot) const;
  /// How many ports share a row whose port is TW_PORT_MANY. Empty if the kernel side had no room to tell them apart.
  std::optional<std::uint32_t> ports_of(const tw_row& row) const;
  /// Whether the process of a row lives, as the kernel knows it. It has ended when its last thread has begun to exit:
  /// what it still closes on its way out is counted as always.
  bool is_alive(const tw_row_key& key) const;
  /// Moves each time that a process with a row has ended. Read it before is_alive().
  std::uint64_t process_exits() const;
  /// Makes the kernel side forget the key of a row: programs that start from now on count for that owner in another
  /// row. Those that run may still count into this one. False if the kernel refused it; the caller may try again.
  bool unlink_row(std::uint32_t id);
  /// Gives the slot of an unlinked row back. No program may be able to count into it any more, see tw_row.pending. Its
  /// numbers are lost.
  void free_row(std::uint32_t id);
  /// Makes the kernel side forget the number of a namespace: should the namespace still count, it gets another one.
  /// Programs that run now may still count into the slot, and so may what has a row of that namespace. False if the
  /// kernel side still finds it; then the caller may try again.
  bool unlink_netns(std::uint32_t slot);
  /// Gives the slot of an unlinked namespace to the next new one. No program and no row may refer to it any more. Its
  /// numbers are lost.
  void release_netns(std::uint32_t slot);

  /// nullptr where the kernel side cannot tell whose listening sockets are.
  ListenerRows* listener_rows();
  /// Has the resets counted that processes feel. Call settle() before each reading of rows().
  FeltResets& felt_resets();
  /// Counts connection attempts that a listening socket dropped, which no program sees: for a published row slot and
  /// its namespace; with TW_ROW_NONE for the namespace of this tw_netns.id alone. False if that has no slot.
  bool count_queue_drops(std::uint32_t row, std::uint64_t netns_id, std::uint64_t drops);

  /// Empty if the kernel side recorded none.
  std::optional<CgroupPath> cgroup_path(std::uint64_t id) const;
  /// Makes room for another cgroup. The kernel side records the path again when it makes a row of that cgroup. False if
  /// the record is still there; then the caller may try again.
  bool forget_cgroup(std::uint64_t id);

  /// For readers that credit buckets to the rows of this tracer.
  TracerState state() const;

  /// Starts a scan: from here on readers that credit buckets to the rows of this tracer count anew. Then the readers go
  /// through all tables, then sweep() until it says true.
  void begin_scan();
  /// Forgets what two scans in a row no longer found; the buckets among it are put behind those in `gone`. True when
  /// that is done.
  base::Result<bool> sweep(std::vector<SweptBucket>& gone, Pace pace);

  /// Becomes readable when the ring crosses its watermark.
  int ring_fd() const;
  /// Passes on at most `limit` events, and returns how many. The reference is valid during the call.
  base::Result<std::size_t> drain(const std::function<void(const tw_event&)>& handler, std::size_t limit);

  tw_stats stats() const;
  RunStats run_stats() const;

 private:
  class Impl;
  explicit Tracer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace twtrace::loader
