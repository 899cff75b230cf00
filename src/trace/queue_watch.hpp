// SPDX-License-Identifier: Apache-2.0
// Watches the queues of listening sockets.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "loader/readers.hpp"
#include "loader/tracer.hpp"
#include "model/row_table.hpp"
#include "model/snapshot.hpp"
#include "trace/listen_queues.hpp"
#include "trace/namespace_directory.hpp"

namespace twtrace::trace {

/// Counts what listening sockets drop for the rows of the tracer, and knows the queues that dropped something. Not
/// thread-safe.
class QueueWatch {
 public:
  /// Who the published row in a slot stands for, see Rows::identity().
  using Identify = std::function<const model::Identity&(std::uint32_t slot, const tw_row& row)>;

  /// What was dropped so far was before the start. Call it after the kernel's counters were read for the start, and
  /// before they are read again.
  void start(loader::Readers& readers);
  /// False before start(), and if the sockets could not be read then.
  bool has_started() const { return started_; }
  /// Counts what was dropped since the last look. Call it before the rows are read, at least as often as they are given
  /// back. `is_sample`: rates are of what was dropped since the last look for a sample.
  void look(loader::Readers& readers, loader::Tracer& tracer, const Identify& identify, bool is_sample);
  /// See model::Snapshot. Leaves out those of namespaces that the directory has forgotten.
  std::shared_ptr<const std::vector<model::ListenQueue>> queues(const NamespaceDirectory& directory,
                                                                double interval_s) const;

 private:
  struct Readings {
    ListenQueues::Kernel drops;
    std::map<std::uint64_t, tw_settings> settings;  ///< by tw_namespace_reading.id
  };
  /// A row slot, and what tells its row from the next one there.
  struct RowSlot {
    std::uint32_t slot = TW_ROW_NONE;
    std::uint64_t first_ns = 0;
  };
  /// The sockets of one program on one port.
  struct Queue {
    std::uint64_t netns_id = 0;  ///< tw_namespace_reading.id
    std::uint64_t drops = 0;
    std::uint64_t sampled = 0;   ///< at the last sample
    std::uint64_t previous = 0;  ///< at the sample before
    model::Use fullest;
    std::optional<tw_settings> settings;
  };

  static base::Result<Readings> read_namespaces(loader::Readers& readers);
  void count(loader::Readers& readers, loader::Tracer& tracer, const Identify& identify);
  void find_rows(loader::Tracer& tracer, const std::vector<ListenQueues::Drops>& dropped,
                 std::span<const tw_closed_listener> closed);
  void take_closed(loader::Tracer& tracer);
  const tw_row* row_of(const loader::Tracer& tracer, std::uint64_t socket) const;
  Queue& queue_of(const loader::Tracer& tracer, std::uint64_t socket, const Identify& identify);
  void fill_queues(const loader::Tracer& tracer, std::span<const tw_closed_listener> closed,
                   std::span<const tw_listener_reading> listening, const Readings& readings, const Identify& identify);

  bool started_ = false;
  bool complained_ = false;
  ListenQueues sockets_;
  std::vector<tw_closed_listener> closed_;   ///< taken from the kernel side, not counted yet
  std::map<std::uint64_t, RowSlot> rows_;    ///< by socket, of those that dropped something
  std::map<model::Identity, Queue> queues_;  ///< by the identity without its process
};

}  // namespace twtrace::trace
