// SPDX-License-Identifier: Apache-2.0
#include "loader/load_error.hpp"

#include <cerrno>
#include <string>

namespace twtrace::loader {

base::Error load_error(int error, const LibbpfLog& log, std::string_view what) {
  base::Error result = base::fail_errno(error, std::string(what)).value();
  if (error == EPERM || error == EACCES) {
    result.hint = "a privilege is missing or a security policy of this kernel forbids it";
  } else if (const std::string said = log.last_warning(); !said.empty()) {
    result.what += " (" + said + ")";
  }
  if (error == ENOMEM) result.hint = "the memory cgroup may be too small";
  return result;
}

}  // namespace twtrace::loader
