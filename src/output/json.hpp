// SPDX-License-Identifier: Apache-2.0
// The stable JSON contract: "twtrace.snapshot/1" and "twtrace.event/1". Fields are added, never renamed.
#pragma once

#include <string>
#include <vector>

#include "model/snapshot.hpp"

namespace twtrace::output {

/// One object on one line, without a newline at its end. Pure ASCII: everything else is \u-escaped, so that no terminal
/// interprets it. A value that is unknown, or merged by the group, is null, never 0. Bytes that are not UTF-8 become
/// U+FFFD, and a sibling field `<name>_hex` has the original bytes. Pure. Never throws.
/// `warnings`: what was asked for and is not there, a sentence each.
std::string snapshot_json(const model::Snapshot& snapshot, const std::vector<std::string>& warnings = {});

/// The same for one event, appended to `out`.
void append_event_json(std::string& out, const model::Event& event);

}  // namespace twtrace::output
