// SPDX-License-Identifier: Apache-2.0
// How many connections there may be, and for how long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace twtrace::exporter {

struct ConnectionLimits {
  std::size_t most = 128;
  std::size_t most_per_address = 32;
  std::uint64_t request_ns = 10'000'000'000;  ///< to send a request, and to take the reply
  std::uint64_t idle_ns = 120'000'000'000;    ///< from one request to the next
};

/// The open connections. Instead of refusing a new one it gives up the one that has not finished a request for the
/// longest time: slow clients keep nobody out, and a scrape takes no longer than the few next connections. Times are
/// CLOCK_MONOTONIC. Pure. Not thread-safe.
class Connections {
 public:
  explicit Connections(const ConnectionLimits& limits = {}) : limits_(limits) {}

  /// Adds a connection. Returns the descriptor of the one that has to go for it, or -1. That one no longer counts.
  int add(int fd, std::string address, std::uint64_t now_ns);
  /// A whole request has come: the reply has its time from now.
  void begin_reply(int fd, std::uint64_t now_ns);
  /// The reply has gone.
  void end_reply(int fd, std::uint64_t now_ns);
  /// The connection is closed, or given up.
  void remove(int fd);
  /// Those whose time is up. They no longer count.
  std::vector<int> take_overdue(std::uint64_t now_ns);
  /// When the next one will be overdue; empty if there is none.
  std::optional<std::uint64_t> next_deadline_ns() const;

  std::size_t size() const { return open_.size(); }

 private:
  struct Open {
    int fd = -1;
    std::string address;
    std::uint64_t finished_ns = 0;  ///< its last request, or when it was opened
    std::uint64_t deadline_ns = 0;
  };

  Open* find(int fd);
  int take_stalest(const std::string* address);

  ConnectionLimits limits_;
  std::vector<Open> open_;
};

}  // namespace twtrace::exporter
