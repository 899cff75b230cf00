// SPDX-License-Identifier: Apache-2.0
// The rows of a trace: reads those of the kernel side into the model's table, and gives them back.
#pragma once

#include <twtrace/abi.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "base/service.hpp"
#include "model/counters.hpp"
#include "model/row_table.hpp"

namespace twtrace::trace {

/// Buckets per row as scans of the kernel's tables find them, where the programs do not see how buckets end.
class LiveScan {
 public:
  LiveScan() = default;
  LiveScan(const LiveScan&) = default;
  LiveScan& operator=(const LiveScan&) = default;
  LiveScan(LiveScan&&) = default;
  LiveScan& operator=(LiveScan&&) = default;
  virtual ~LiveScan() = default;

  /// The buckets of a row that the last complete scan found; empty if there was none yet.
  virtual std::optional<std::uint64_t> live(std::uint32_t row_slot) const = 0;
  /// How many scans that say what is gone have begun so far; passed_since() takes it.
  virtual std::uint64_t begun() const = 0;
  /// How many scans, with their sweeps, have begun and ended since begun() said this.
  virtual std::uint64_t passed_since(std::uint64_t begun) const = 0;
};

/// Knows who each row of the kernel side stands for, and keeps the model's row table up to date. Not thread-safe.
class Rows {
 public:
  /// What the identity of a row takes from the rest of a trace.
  struct Names {
    std::function<std::uint32_t(std::uint32_t netns_slot)> netns;  ///< Identity::netns
    std::function<const base::Service&(std::uint64_t cgroup_id)> service;
    std::function<std::optional<std::uint32_t>(const tw_row&)> ports;  ///< loader::Tracer::ports_of()
  };
  /// Whether the namespace of a slot is gone, so that no new connection can come from there.
  using IsGone = std::function<bool(std::uint32_t netns_slot)>;
  /// Which processes live, as the kernel side knows it.
  struct Processes {
    std::uint64_t exits = 0;  ///< loader::Tracer::process_exits(), read before the rows
    std::function<bool(const tw_row_key&)> is_alive;
  };
  /// How a row slot goes back to the kernel side, see loader::Tracer. False: not now.
  struct GiveBack {
    std::function<bool(std::uint32_t row_slot)> unlink;
    std::function<void(std::uint32_t row_slot)> free;
  };
  /// What read() and look() read beside the rows.
  struct Facts {
    Names names;
    Processes processes;
    const LiveScan* scan = nullptr;  ///< nullptr if the programs see how buckets end
  };

  /// `max_rows`: see model::RowTable.
  explicit Rows(std::size_t max_rows) : table_(max_rows) {}

  const model::RowTable& table() const { return table_; }
  /// The counts of all rows by Identity::netns.
  std::map<std::uint32_t, model::Counters> counts_by_netns() const;

  /// Starts a sample, see model::RowTable.
  void begin_interval() { table_.begin_interval(); }
  /// See model::RowTable.
  void set_before_start(std::vector<model::Entry> entries) { table_.set_before_start(std::move(entries)); }
  /// Who the published row in a slot stands for. Valid until the next call that changes the table.
  const model::Identity& identity(std::uint32_t slot, const tw_row& row, const Names& names);
  /// Reads every published row for a sample. The rows of an owner with more ports than may have rows of their own
  /// become rows of one identity, without a port.
  void read(std::span<const tw_row> rows, const Facts& facts);
  /// The same between two samples, so that rows can be given back however long an interval is.
  void look(std::span<const tw_row> rows, const Facts& facts);
  /// The rows of these namespaces become rows of another one, see model::RowTable.
  void move(const std::set<std::uint32_t>& namespaces, std::uint32_t to) { table_.move(namespaces, to); }
  /// After read() or look(): gives back the rows into which nothing can count any more, because the process has ended
  /// or the namespace is gone, and the row is idle. A process sends FINs on its way out, so a row is unlinked first,
  /// and freed after another read has found it idle: by then no program can be about to count into it. Returns the
  /// slots that were freed.
  std::vector<std::uint32_t> retire(std::span<const tw_row> rows, const LiveScan* scan, const IsGone& is_gone,
                                    const GiveBack& give_back);

 private:
  struct SlotState {
    bool ended = false;
    std::optional<std::uint64_t> asked_at;    ///< Processes::exits when the process was last found alive
    model::Counters counts;                   ///< at the last read
    std::optional<std::uint64_t> idle_since;  ///< LiveScan::begun() when a read first found the row idle
    bool unlinked = false;
  };
  using Put = void (model::RowTable::*)(std::uint32_t, const model::Counters&, std::optional<std::uint64_t>, bool);

  void read(std::span<const tw_row> rows, const Facts& facts, Put put);
  static void check_end(SlotState& state, const tw_row& row, const Processes& processes);
  static void check_idle(SlotState& state, const tw_row& row, std::optional<std::uint64_t> live, const LiveScan* scan);

  model::RowTable table_;
  std::vector<SlotState> states_;  ///< by row slot
};

}  // namespace twtrace::trace
