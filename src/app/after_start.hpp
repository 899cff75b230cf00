// SPDX-License-Identifier: Apache-2.0
// What a command is allowed to do once it has started: SECURITY.md.
#pragma once

#include <set>
#include <string>

#include "app/option_groups.hpp"
#include "base/result.hpp"
#include "trace/least_privilege.hpp"

namespace twtrace::app {

/// For a command that only reads and prints: started by root, it becomes nobody.
trace::Reduction reading_only();

/// For a command that may write a capture to `path`. SQLite makes and removes FILE-wal and FILE-shm beside it until the
/// end, so the process stays the user who can do that without a privilege: the one who called, under sudo too. Only for
/// a directory where that user cannot write does root stay root, with Duty::kWriteForOthers.
trace::Reduction writing_to(const std::string& path);

/// For a command that replaces the file at `path` again and again: started by root, it becomes the owner of the
/// directory, who can do that without a privilege.
trace::Reduction replacing(const std::string& path);

/// For a command that loads nothing: drops everything but what these duties need. It stays the user who called, because
/// the files are that user's. Does nothing if there is nothing to drop.
base::Result<void> keep_only(std::set<trace::Duty> duties);

/// Drops what the command does not need any more. Does nothing with --keep-privileges.
base::Result<void> drop_privileges(const TracingOptions& tracing, trace::Reduction reduction);

}  // namespace twtrace::app
