// SPDX-License-Identifier: Apache-2.0
// Compare a snapshot of twtrace with a workload and with the kernel. They use Catch2 assertions, so call them from a
// test case.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/workload.hpp"

namespace twtrace::test {

/// The entry of a namespace; null when there is none.
nlohmann::json namespace_entry(const nlohmann::json& snapshot, const NetnsSandbox& netns);

/// The rows of a namespace that counted anything.
std::vector<nlohmann::json> rows_of(const nlohmann::json& snapshot, const NetnsSandbox& netns);

/// The rows of a namespace, also those that counted no bucket.
std::vector<nlohmann::json> all_rows_of(const nlohmann::json& snapshot, const NetnsSandbox& netns);

/// The sum of a field over them.
std::int64_t sum_of_all(const nlohmann::json& snapshot, const NetnsSandbox& netns, const std::string& field);

/// The same over those in this role and port.
std::int64_t sum_at(const nlohmann::json& snapshot, const NetnsSandbox& netns, const std::string& role, int port,
                    const std::string& field);

/// TcpExtListenDrops of a namespace.
std::int64_t listen_drops(int netns);

/// Fills a queue of `backlog` on a port of 127.0.0.1, and tries to connect `more` times. Returns how many attempts the
/// kernel dropped: more, if some were repeated.
std::int64_t overflow_queue(std::uint16_t port, int backlog, int more);

/// The namespace's drops of listening sockets equal the kernel's, none was missed, and its rows add up to them.
void check_sum_of_drops(const nlohmann::json& snapshot, const NetnsSandbox& netns);

/// Whether this backend says that the kernel does not show it every reset.
bool misses_resets(const nlohmann::json& snapshot);

/// Waits until the connection of a socket has ended.
void wait_for_reset(int socket);

/// The row of a process in a namespace; null when there is none.
nlohmann::json row_of(const nlohmann::json& snapshot, const NetnsSandbox& netns, int pid);

/// A field of a row or entry, which must be a number.
std::int64_t number(const nlohmann::json& object, const std::string& field);

/// Sum of a field over the rows of a namespace.
std::int64_t sum_of(const nlohmann::json& snapshot, const NetnsSandbox& netns, const std::string& field);

/// No count and no detail was lost.
void check_nothing_lost(const nlohmann::json& snapshot);

/// The namespace's entry equals the kernel's counters, nothing was missed, and its rows add up to it.
void check_namespace(const nlohmann::json& snapshot, const Arena& arena);

/// created + missed = the kernel's counter, exactly. This holds even where the platform skips program runs.
void check_honest(const nlohmann::json& snapshot, const Arena& arena);

/// The row is of this process in its role, and twtrace saw its close().
void check_identity(const nlohmann::json& row, const nlohmann::json& owner, const Arena& arena);

/// twtrace did not see who closed the sockets of this row, and took the owner from what they remember.
void check_remembered(const nlohmann::json& row, const std::string& role, const Arena& arena);

/// Each owner of the workload has a row with exactly its buckets, in the right stage. There are no other rows.
void check_owners(const nlohmann::json& snapshot, const Arena& arena);

/// Only owners have rows. None has more buckets than it closed and, with `exact`, none has fewer.
void check_no_innocent(const nlohmann::json& snapshot, const Arena& arena, bool exact);

/// All of the above, for a workload without refusals.
void check_everything(const nlohmann::json& snapshot, const Arena& arena);

}  // namespace twtrace::test
