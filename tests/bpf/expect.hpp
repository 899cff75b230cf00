// SPDX-License-Identifier: Apache-2.0
// Assertions on a snapshot of twtrace against a workload and against the kernel. They are Catch2 assertions: call them
// from a test case.
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

/// What holds even where the platform skips program runs: created + missed = the kernel's counter, to the unit.
void check_honest(const nlohmann::json& snapshot, const Arena& arena);

/// A row is the given process in its role, found by its close.
void check_identity(const nlohmann::json& row, const nlohmann::json& owner, const Arena& arena);

/// A row whose sockets say where they come from, though nobody was seen closing them.
void check_remembered(const nlohmann::json& row, const std::string& role, const Arena& arena);

/// Every owner of the workload has its row with exactly its buckets in the right stage, and nobody else has one.
void check_owners(const nlohmann::json& snapshot, const Arena& arena);

/// Only owners have rows, none with more buckets than it closed; with `exact` none with less.
void check_no_innocent(const nlohmann::json& snapshot, const Arena& arena, bool exact);

/// All of the above for a workload in which nothing was refused.
void check_everything(const nlohmann::json& snapshot, const Arena& arena);

}  // namespace twtrace::test
