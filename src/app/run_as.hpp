// SPDX-License-Identifier: Apache-2.0
// Another user, for the command of a capture.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.hpp"

namespace twtrace::app {

/// Whom a command runs as. Looked up once, before anything starts, so that the child needs no user database.
struct RunAs {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  ///< supplementary, the primary one among them
  std::string home;
  std::string shell;
};

/// Looks up a name or a number in the user database. kUsage when there is no such user, kPermission when this process
/// may not become that user.
base::Result<RunAs> find_user(const std::string& user);

/// `environment` (NAME=VALUE) as the user gets it: HOME, USER, LOGNAME and SHELL are the user's, and what names the
/// mail, the session or the agents of the caller is left out. Pure.
std::vector<std::string> environment_of(const RunAs& user, const std::vector<std::string>& environment);

/// Makes the calling process the user's, for good: ids, groups, no capability unless the user is root, a session
/// keyring of its own, descriptors above 2 closed at exec, and no way to type into the terminal (TIOCSTI, which would
/// run commands as the caller). no_new_privs stays as it is, so setuid programs work, as under sudo(8) and runuser(1).
/// 0 or errno; after an error the process must end. Allocates nothing: for a child between fork and exec.
int become(const RunAs& user);

}  // namespace twtrace::app
