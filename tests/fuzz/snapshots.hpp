// SPDX-License-Identifier: Apache-2.0
// Makes snapshots and events from arbitrary bytes. Every name, number and combination of absent fields can occur.
#pragma once

#include "model/snapshot.hpp"
#include "target.hpp"

namespace twtrace::fuzz {

/// Deterministic; missing bytes read as 0.
model::Snapshot make_snapshot(Bytes bytes);
model::Event make_event(Bytes bytes);
/// Inputs that become snapshots with several rows.
std::vector<std::string> snapshot_seeds();

}  // namespace twtrace::fuzz
