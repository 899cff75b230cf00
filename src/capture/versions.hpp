// SPDX-License-Identifier: Apache-2.0
// Private to capture: the first version of the schema that has something, for those who read older files.
#pragma once

#include <cstdint>

namespace twtrace::capture {

inline constexpr std::int64_t kVersionWithSuspensions = 2;
inline constexpr std::int64_t kVersionWithProcesses = 3;
inline constexpr std::int64_t kVersionWithNetnsIds = 4;  ///< of settings, ports and events
inline constexpr std::int64_t kVersionWithHarm = 5;      ///< counts of who was hurt
inline constexpr std::int64_t kVersionWithOwnersBeforeStart = 5;
inline constexpr std::int64_t kVersionWithResetsSent = 6;  ///< counts of the resets that the host sent
inline constexpr std::int64_t kVersionWithBudgets = 6;
inline constexpr std::int64_t kVersionWithLogs = 7;
inline constexpr std::int64_t kVersionWithQueues = 8;  ///< what listening sockets dropped
inline constexpr std::int64_t kVersionWithTimestamps = 9;
inline constexpr std::int64_t kVersionWithBoundPorts = 10;
inline constexpr std::int64_t kVersionWithPeersBeforeStart = 11;
inline constexpr std::int64_t kVersionWithNoPortBind = 12;
inline constexpr std::int64_t kVersionWithOwnPorts = 12;    ///< the range that a client has for itself
inline constexpr std::int64_t kVersionWithEventCount = 13;  ///< how many times an event happened

}  // namespace twtrace::capture
