// SPDX-License-Identifier: Apache-2.0
// Lines of application logs in words, for every sink. Pure.
#pragma once

#include <string>

#include "model/logs.hpp"

namespace twtrace::phrases {

/// The name of a log: a path, or "journal of UNIT". Any bytes.
std::string log_words(const model::Log& log);

/// "/var/log/agents.log: Connection reset by peer"; of lines that were only counted "/var/log/agents.log: 207 more
/// lines". Safe for a terminal (sanitize_terminal).
std::string line_words(const model::Log& log, const model::LogLine& line);

}  // namespace twtrace::phrases
