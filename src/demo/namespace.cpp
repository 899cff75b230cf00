// SPDX-License-Identifier: Apache-2.0
#include "demo/namespace.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/unique_fd.hpp"
#include "kernel/sysctl.hpp"

namespace twtrace::demo {
namespace {

constexpr const char* kLimitFile = "/proc/sys/net/ipv4/tcp_max_tw_buckets";

base::Result<void> bring_loopback_up() {
  const base::UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  int saved_errno = errno;
  if (!fd) return base::fail_errno(saved_errno, "cannot make a socket in the demo's namespace");
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
  request.ifr_flags = IFF_UP;
  const int result = ::ioctl(fd.get(), SIOCSIFFLAGS, &request);
  saved_errno = errno;
  if (result != 0)
    return base::fail_errno(saved_errno, "cannot bring up the demo's loopback", "it needs CAP_NET_ADMIN");
  return {};
}

/// /proc/sys/net shows the network namespace of the process that opens it.
base::Result<void> set_limit(std::uint32_t limit) {
  const std::string text = std::to_string(limit);
  {
    const base::UniqueFd fd(::open(kLimitFile, O_WRONLY | O_CLOEXEC));
    int saved_errno = errno;
    if (!fd) return base::fail_errno(saved_errno, "cannot set the demo's limit");
    const ssize_t written = ::write(fd.get(), text.data(), text.size());
    saved_errno = errno;
    if (written < 0) return base::fail_errno(saved_errno, "cannot set the demo's limit");
  }
  const auto set = kernel::Sysctl().read_u64(kernel::kTcpMaxTwBuckets);
  if (!set) return tl::unexpected(set.error());
  if (*set != limit) return base::fail(base::ErrorCode::kFailure, "the demo's namespace did not take its limit");
  return {};
}

}  // namespace

base::Result<std::uint32_t> namespace_inode(const std::string& pid) {
  struct stat status {};
  const std::string path = "/proc/" + pid + "/ns/net";
  const int result = ::stat(path.c_str(), &status);
  const int saved_errno = errno;
  if (result != 0) return base::fail_errno(saved_errno, "cannot look at " + path);
  return static_cast<std::uint32_t>(status.st_ino);
}

base::Result<void> enter_new_namespace(std::uint32_t limit) {
  const auto before = namespace_inode("self");
  if (!before) return tl::unexpected(before.error());
  const int result = ::unshare(CLONE_NEWNET);
  const int saved_errno = errno;
  if (result != 0) {
    return base::fail_errno(saved_errno, "cannot make a network namespace for the demo", "it needs CAP_SYS_ADMIN");
  }
  const auto now = namespace_inode("self");
  if (!now) return tl::unexpected(now.error());
  const auto host = namespace_inode("1");
  if (*now == *before || (host && *now == *host)) {
    return base::fail(base::ErrorCode::kUnsupported, "the demo's network namespace is not a new one");
  }
  if (auto up = bring_loopback_up(); !up) return up;
  return set_limit(limit);
}

}  // namespace twtrace::demo
