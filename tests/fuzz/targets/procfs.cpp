// SPDX-License-Identifier: Apache-2.0
// The kernel's text files. The kernel defines their layout, but anybody can choose names inside them.
#include "kernel/procfs.hpp"

#include "kernel/capabilities.hpp"
#include "kernel/counters.hpp"
#include "kernel/mountinfo.hpp"
#include "target.hpp"

namespace twtrace::fuzz {
namespace {

void run_netstat(Bytes bytes) {
  const auto counters = kernel::parse_netstat(text(bytes));
  require(counters.has_value() || counters.error().code == base::ErrorCode::kInvalid, "malformed text is kInvalid");
}

void run_sockstat(Bytes bytes) {
  const auto in_use = kernel::parse_sockstat(text(bytes));
  require(in_use.has_value() || in_use.error().code == base::ErrorCode::kInvalid, "malformed text is kInvalid");
}

void run_stat(Bytes bytes) {
  const auto stat = kernel::parse_stat(text(bytes));
  if (!stat) return;
  require(text(bytes).find('(' + stat->comm + ')') != std::string_view::npos, "the name is in the text");
}

void run_status(Bytes bytes) {
  const auto capabilities = kernel::parse_effective_capabilities(text(bytes));
  require(capabilities.has_value() || capabilities.error().code == base::ErrorCode::kInvalid, "malformed is kInvalid");
}

void run_mountinfo(Bytes bytes) {
  std::size_t lines = 1;
  for (const char c : text(bytes)) lines += c == '\n' ? 1U : 0U;
  const auto mounts = kernel::parse_mountinfo(text(bytes));
  require(mounts.size() <= lines, "one mount per line");
  for (const kernel::Mount& mount : mounts) {
    require(mount.root.size() + mount.mount_point.size() + mount.fs_type.size() <= bytes.size(), "nothing is made up");
    static_cast<void>(kernel::has_option(mount.super_options, "name=systemd"));
  }
}

}  // namespace

Target netstat_target() {
  return {"netstat",
          run_netstat,
          {"TcpExt: SyncookiesSent TW TWRecycled TWKilled ListenOverflows ListenDrops TCPTimeWaitOverflow\n"
           "TcpExt: 0 17 3 2 5 5 4454\nIpExt: InNoRoutes\nIpExt: 0\n",
           "TcpExt: TW TWKilled\nTcpExt: 1 2\n"},
          100'000};
}

Target sockstat_target() {
  return {"sockstat",
          run_sockstat,
          {"sockets: used 200\nTCP: inuse 5 orphan 0 tw 4998 alloc 9 mem 1\nUDP: inuse 1 mem 0\n"},
          100'000};
}

Target stat_target() {
  return {
      "stat",
      run_stat,
      {"812 (redis-worker) S 1 812 812 0 -1 4194304 1 0 0 0 1 2 0 0 20 0 4 0 123456 1000 200 18446744073709551615\n",
       "7 (a) b (c)) Z 1 7 7 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 99 0 0\n"},
      100'000};
}

Target status_target() {
  return {"status", run_status, {"Name:\tx\nCapInh:\t0000000000000000\nCapEff:\t000001ffffffffff\n"}, 100'000};
}

Target mountinfo_target() {
  return {"mountinfo",
          run_mountinfo,
          {"25 1 0:23 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
           "99 1 0:4 net:[4026532281] /run/netns/a\\040b rw shared:5 - nsfs nsfs rw\n",
           "30 25 0:26 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"},
          50'000};
}

}  // namespace twtrace::fuzz
