// SPDX-License-Identifier: Apache-2.0
// Every row since start: the rows that the kernel side counts into now, and what remains of earlier ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/service.hpp"
#include "model/snapshot.hpp"

namespace twtrace::model {

/// Identity::netns of rows whose namespace is forgotten: "(other)".
inline constexpr std::uint32_t kForgottenNetns = 0;

/// Who and where a row is, including names. The kernel reuses slots and inode numbers. So `netns` is a number that the
/// caller gives to each namespace and never gives twice.
struct Identity {
  std::uint32_t netns = 0;
  std::optional<std::uint32_t> pid;  ///< only with Attribution::kCloser, and not after folding
  std::uint64_t start_ns = 0;        ///< CLOCK_BOOTTIME; with pid tells processes apart
  std::string comm;
  std::uint32_t uid = 0;
  base::Service service;
  Role role = Role::kClient;
  std::uint16_t port = 0;  ///< 0: of one that talks on so many ports that they are not told apart
  Attribution attribution = Attribution::kCloser;
  bool ipv6 = false;
  bool matched = true;  ///< the connection passes the port filter
  auto operator<=>(const Identity&) const = default;
};

/// The identity that rows of the same program share once their processes have ended.
Identity folded(Identity identity);

/// The parts of an event that come from the row of its owner.
void set_owner(Event& event, const Identity& who);

/// One row with its history.
struct Entry {
  Identity identity;
  Counters counts;
  Counters sampled;   ///< at the last sample; `counts` may have moved on since
  Counters previous;  ///< at the sample before
  std::optional<std::uint64_t> live;
  std::uint32_t pids = 1;  ///< processes merged by folding
  bool exited = false;
  /// How many ports a row with port 0 stands for, counted for each process; empty if not known.
  std::optional<std::uint32_t> ports = 1;
};

/// Keeps one entry per row that the kernel side counts into, and at most `max_rows` of processes that have ended.
/// Beyond that it folds the oldest: rows that differ only by pid become one. Only when there are more programs than
/// rows, those that were seen last the longest ago go into one "(other)" entry per namespace. Sums never change. Not
/// thread-safe.
class RowTable {
 public:
  explicit RowTable(std::size_t max_rows) : max_rows_(max_rows) {}

  /// Starts a sample: what the last one showed becomes `previous`.
  void begin_interval();

  /// True when the slot holds the row that was first seen at `first_ns`.
  bool knows(std::uint32_t slot, std::uint64_t first_ns) const;
  /// A new row in a slot. A row that was there before must have been retired.
  void add(std::uint32_t slot, std::uint64_t first_ns, Identity identity);
  /// Sets the numbers of a slot's row, for a sample.
  void set(std::uint32_t slot, const Counters& counts, std::optional<std::uint64_t> live, bool exited);
  /// Sets how many ports a slot's row stands for. Its port becomes 0: that of all rows of an owner with many ports, who
  /// are one row in every view.
  void share_port(std::uint32_t slot, std::optional<std::uint32_t> ports);
  /// The same between two samples: the rate of the next sample still includes what has been counted since the last.
  void refresh(std::uint32_t slot, const Counters& counts, std::optional<std::uint64_t> live, bool exited);
  /// Nothing counts into the slot's row any more: its process has `exited`, or its namespace is gone. Keeps its counts.
  void retire(std::uint32_t slot, bool exited = true);
  /// The rows of these namespaces become rows of another one, where those of the same program are one. None of them may
  /// be in a slot any more.
  void move(const std::set<std::uint32_t>& namespaces, std::uint32_t to);

  /// Replaces the buckets from before the start: one entry per namespace, role, port and family, without counts.
  void set_before_start(std::vector<Entry> entries) { before_start_ = std::move(entries); }

  /// The entry in a slot, nullptr when there is none. Valid until the next call that changes the table.
  const Entry* at(std::uint32_t slot) const;

  /// All entries: present, folded, one per namespace for the rest, and those from before the start.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const Slot& slot : slots_) {
      if (slot.entry) visit(*slot.entry, RowKind::kNormal);
    }
    for (const Entry& entry : ended_) visit(entry, RowKind::kNormal);
    for (const Entry& entry : folded_) visit(entry, RowKind::kNormal);
    for (const auto& [netns, entry] : other_) visit(entry, RowKind::kOther);
    for (const Entry& entry : before_start_) visit(entry, RowKind::kBeforeStart);
  }

  std::size_t size() const { return present_ + ended_.size() + folded_.size() + other_.size() + before_start_.size(); }

 private:
  struct Slot {
    std::uint64_t first_ns = 0;
    std::optional<Entry> entry;
  };

  std::list<Entry>& list_of(const Identity& who) { return who.pid ? ended_ : folded_; }
  void make_room();
  Entry take_oldest(std::list<Entry>& list);
  void keep(Entry entry);
  void merge_into_other(const Entry& entry);

  std::size_t max_rows_;
  std::size_t present_ = 0;
  std::vector<Slot> slots_;
  std::list<Entry> ended_;   ///< of ended processes, oldest first
  std::list<Entry> folded_;  ///< of programs: those of their ended processes, without a pid; latest last
  std::map<Identity, std::list<Entry>::iterator> by_identity_;  ///< of both lists
  std::map<std::uint32_t, Entry> other_;                        ///< by Identity::netns
  std::vector<Entry> before_start_;
};

}  // namespace twtrace::model
