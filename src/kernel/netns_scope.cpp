// SPDX-License-Identifier: Apache-2.0
#include "kernel/netns_scope.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <cstdlib>
#include <cstring>

#include "base/log.hpp"
#include "kernel/file.hpp"

namespace twtrace::kernel {
namespace {

constexpr const char* kOwnNamespace = "/proc/thread-self/ns/net";

base::Result<base::UniqueFd> open_namespace(const NetnsRef& ref) {
  base::UniqueFd fd(::open(ref.path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd) return fail_path(errno, ref.path);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return fail_path(errno, ref.path);
  if (status.st_ino == ref.inum) return fd;
  return base::fail(base::ErrorCode::kNotFound,
                    "network namespace " + std::to_string(ref.inum) + " is no longer at " + ref.path);
}

}  // namespace

base::Result<NetnsScope> NetnsScope::enter(const NetnsRef& ref) {
  const auto target = open_namespace(ref);
  if (!target) return tl::unexpected(target.error());
  struct stat own {};
  if (::stat(kOwnNamespace, &own) != 0) return fail_path(errno, kOwnNamespace);
  if (own.st_ino == ref.inum) return NetnsScope(base::UniqueFd());

  base::UniqueFd original(::open(kOwnNamespace, O_RDONLY | O_CLOEXEC));
  if (!original) return fail_path(errno, kOwnNamespace);
  if (::setns(target->get(), CLONE_NEWNET) != 0) {
    return base::fail_errno(errno, "entering network namespace " + std::to_string(ref.inum), "CAP_SYS_ADMIN is needed");
  }
  return NetnsScope(std::move(original));
}

NetnsScope::~NetnsScope() {
  if (!original_ || ::setns(original_.get(), CLONE_NEWNET) == 0) return;
  spdlog::critical("cannot return to the original network namespace: {}", std::strerror(errno));
  std::abort();
}

}  // namespace twtrace::kernel
