// SPDX-License-Identifier: Apache-2.0
// Runs the command of a capture as another user.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.hpp"

namespace twtrace::app {

/// The user of a command. Looked up once, before anything starts, so that the child needs no user database.
struct RunAs {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  ///< supplementary groups, including the primary one
  std::string home;
  std::string shell;
};

/// Looks up a name or a number in the user database. kUsage if there is no such user, kPermission if this process may
/// not become that user.
base::Result<RunAs> find_user(const std::string& user);

/// The user's version of `environment` (NAME=VALUE). HOME, USER, LOGNAME and SHELL are the user's. Variables that name
/// the caller's mail, session or agents are left out. Pure.
std::vector<std::string> environment_of(const RunAs& user, const std::vector<std::string>& environment);

/// Turns the calling process into one of the user, for good: ids, groups, no capabilities unless the user is root, a
/// new session keyring, descriptors above 2 closed at exec, and no way to type into the terminal (TIOCSTI, which would
/// run commands as the caller). Does not change no_new_privs, so setuid programs work, as under sudo(8) and runuser(1).
/// Returns 0 or errno. After an error the process must end. Allocates nothing, because it runs in a child between fork
/// and exec.
int become(const RunAs& user);

}  // namespace twtrace::app
