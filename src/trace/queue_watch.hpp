// SPDX-License-Identifier: Apache-2.0
// Watches the queues of listening sockets.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "loader/readers.hpp"
#include "loader/tracer.hpp"
#include "model/row_table.hpp"
#include "model/snapshot.hpp"
#include "trace/listen_queues.hpp"
#include "trace/namespace_directory.hpp"
#include "trace/queue_table.hpp"

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
  /// Counts and returns what was dropped since the last look. Call it before the rows are read, at least as often as
  /// they are given back. `is_sample`: rates are of what was dropped since the last look for a sample.
  std::vector<ListenQueues::RowDrops> look(loader::Readers& readers, loader::Tracer& tracer, const Identify& identify,
                                           bool is_sample);
  /// See QueueTable::queues(). nullptr before start().
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
  /// What one look works on.
  struct Look {
    loader::Tracer& tracer;
    const Identify& identify;
    std::span<const tw_listener_reading> listening;
    std::vector<tw_closed_listener> closed;
  };

  static base::Result<Readings> read_namespaces(loader::Readers& readers);
  std::vector<ListenQueues::RowDrops> count(loader::Readers& readers, loader::Tracer& tracer, const Identify& identify);
  void take_closed(loader::Tracer& tracer);
  void find_rows(const Look& look, std::span<const ListenQueues::Socket> sockets);
  void set_rows_of_closed(const loader::Tracer& tracer, std::span<const tw_closed_listener> closed);
  void set_row(const loader::Tracer& tracer, std::uint64_t socket, std::uint32_t slot);
  std::uint32_t slot_of(const loader::Tracer& tracer, std::uint64_t socket) const;
  void see_queues(const Look& look, const Readings& readings);
  void forget_rows(const Look& look);

  bool started_ = false;
  bool complained_ = false;
  ListenQueues sockets_;
  QueueTable queues_;
  std::vector<tw_closed_listener> closed_;  ///< taken from the kernel side, not counted yet
  std::map<std::uint64_t, RowSlot> rows_;   ///< by tw_listener_reading.id, of those that dropped something
};

}  // namespace twtrace::trace
