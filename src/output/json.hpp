// SPDX-License-Identifier: Apache-2.0
// The stable JSON contract: "twtrace.snapshot/1" and "twtrace.event/1". Fields are added, never renamed.
#pragma once

#include <string>

#include "model/snapshot.hpp"

namespace twtrace::output {

/// One object on one line, no newline at its end, pure ASCII (everything else is \u-escaped, so that no terminal obeys
/// it). What is unknown, or merged away by the group, is null, never 0. Bytes that are no UTF-8 become U+FFFD and a
/// sibling field `<name>_hex` holds the original bytes. Pure; never throws on any content.
std::string snapshot_json(const model::Snapshot& snapshot);

/// The same for one event, behind what is in `out` already.
void append_event_json(std::string& out, const model::Event& event);

}  // namespace twtrace::output
