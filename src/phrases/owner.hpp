// SPDX-License-Identifier: Apache-2.0
// Names of things in sentences. They hold bytes that others chose: the sink escapes the whole sentence.
#pragma once

#include <string>

#include "model/snapshot.hpp"

namespace twtrace::phrases {

/// "scheduler of scheduler.service (server :9000)", "(unattributed)".
std::string owner_words(const model::Row& row);

}  // namespace twtrace::phrases
