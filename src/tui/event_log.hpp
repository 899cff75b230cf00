// SPDX-License-Identifier: Apache-2.0
// The last events, for the events view.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "model/snapshot.hpp"

namespace twtrace::tui {

/// Keeps a fixed number of events, and drops older ones. Not thread-safe.
class EventLog {
 public:
  static constexpr std::size_t kEvents = 5000;

  void add(model::Event event) {
    std::deque<model::Event>& where = held_ ? waiting_ : events_;
    where.push_back(std::move(event));
    if (where.size() > kEvents) where.pop_front();
    if (!held_) ++added_;
  }
  /// While it is held, events() stays as it is, for a paused picture, and new events wait.
  void hold(bool held) {
    held_ = held;
    if (held) return;
    for (model::Event& event : waiting_) add(std::move(event));
    waiting_.clear();
  }
  /// Replaces its events by others, oldest first.
  void assign(std::vector<model::Event> events) {
    events_.clear();
    for (model::Event& event : events) add(std::move(event));
    ++added_;
  }
  /// Oldest first.
  const std::deque<model::Event>& events() const { return events_; }
  /// Grows with every change, so callers can see whether anything has changed.
  std::uint64_t added() const { return added_; }

 private:
  std::deque<model::Event> events_;
  std::deque<model::Event> waiting_;
  bool held_ = false;
  std::uint64_t added_ = 0;
};

}  // namespace twtrace::tui
