// SPDX-License-Identifier: Apache-2.0
// One line of text per event, for `twtrace events`.
#pragma once

#include <cstdint>
#include <string>

#include "model/snapshot.hpp"
#include "output/style.hpp"

namespace twtrace::output {

/// The first column.
enum class TimeStamp {
  kNone,
  kWallClock,  ///< UTC, "03:04:05.678"
  kRelative,   ///< seconds since the start, "12.345"
};

/// How lines of events look.
struct EventTextOptions {
  TimeStamp time = TimeStamp::kWallClock;
  std::int64_t start_unix_ms = 0;  ///< zero of kRelative
  Color color = Color::kNever;
};

/// One line without its newline:
/// `03:04:05.678 overflow   fin_wait2  worker.service/redis-worker[812] client:6379 10.0.0.1:4242 -> 10.0.0.2:6379
/// host`. The last word is the network namespace. A removal adds its reason and the bucket's age in seconds. Unknown is
/// `-`;
/// `~` before a service: the owner is known by cgroup only. Names are made visible (sanitize_terminal). Pure.
std::string event_text(const model::Event& event, const EventTextOptions& options);

/// The titles above those lines.
std::string event_text_header(const EventTextOptions& options);

}  // namespace twtrace::output
