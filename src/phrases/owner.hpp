// SPDX-License-Identifier: Apache-2.0
// Names of owners in sentences. They may hold any bytes, so the sink escapes the whole sentence.
#pragma once

#include <string>

#include "model/snapshot.hpp"

namespace twtrace::phrases {

/// "scheduler of scheduler.service (server :9000)", "(unattributed)".
std::string owner_words(const model::Row& row);
/// True if these words say a process or a service.
bool is_named(const model::Row& row);

}  // namespace twtrace::phrases
