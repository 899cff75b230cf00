// SPDX-License-Identifier: Apache-2.0
#include "trace/least_privilege.hpp"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "base/unique_fd.hpp"
#include "support/catch.hpp"
#include "trace/call_filter.hpp"

using namespace twtrace;
using namespace twtrace::trace;

namespace {

constexpr kernel::CapabilitySet kAll{~std::uint64_t{0}};

kernel::CapabilitySet set_of(std::initializer_list<unsigned> numbers) {
  kernel::CapabilitySet set;
  for (const unsigned number : numbers) set.bits |= std::uint64_t{1} << number;
  return set;
}

/// Runs `code` in a child with filtered system calls, and returns its result. The child then exits at once.
int filtered(const std::function<int()>& code) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || filter_system_calls(Network::kNone) != 0) ::_exit(100);
    ::_exit(code());
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 200;
}

int error_of(long result) { return result < 0 ? errno : 0; }

}  // namespace

TEST_CASE("only what a duty needs is kept, and only if it is held") {
  CHECK(keep_for({}, kAll) == kernel::CapabilitySet{});
  CHECK(keep_for({Duty::kPassSignals}, kAll) == set_of({CAP_KILL}));
  CHECK(keep_for({Duty::kReadMaps}, kAll) == set_of({CAP_BPF}));
  CHECK(keep_for({Duty::kWriteForOthers, Duty::kPassSignals}, kAll) == set_of({CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_KILL}));
  CHECK(keep_for({Duty::kReadMaps, Duty::kPassSignals}, set_of({CAP_BPF, CAP_SYS_ADMIN})) == set_of({CAP_BPF}));
  CHECK(keep_for({Duty::kReadMaps}, set_of({CAP_PERFMON, CAP_SYS_ADMIN})) == set_of({CAP_SYS_ADMIN}));
}

TEST_CASE("nothing is kept that loads a program or changes another process or the network") {
  for (const KeptCapability& kept : kept_capabilities()) {
    for (const int never : {CAP_PERFMON, CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_NET_RAW, CAP_SETUID, CAP_SETGID, CAP_SETPCAP,
                            CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_RESOURCE, CAP_MKNOD, CAP_SETFCAP}) {
      CHECK(kept.number != static_cast<unsigned>(never));
    }
  }
}

TEST_CASE("what a trace does after its start passes the filter") {
  CHECK(filtered([] { return error_of(::open("/proc/self/stat", O_RDONLY | O_CLOEXEC)); }) == 0);
  CHECK(filtered([] {
          bpf_attr attributes{};
          attributes.map_fd = ~0U;
          const int error = error_of(::syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attributes, sizeof(attributes)));
          return error == EBADF || error == EPERM ? 0 : error;
        }) == 0);
}

TEST_CASE("everything else fails with ENOSYS, and kills nobody") {
  CHECK(filtered([] { return error_of(::fork()); }) == ENOSYS);
  CHECK(filtered([] { return error_of(::execl("/bin/true", "true", nullptr)); }) == ENOSYS);
  CHECK(filtered([] { return error_of(::socket(AF_INET, SOCK_STREAM, 0)); }) == ENOSYS);
  CHECK(filtered([] { return error_of(::socket(AF_NETLINK, SOCK_RAW, 0)); }) == ENOSYS);
  CHECK(filtered([] { return error_of(::setns(-1, 0)); }) == ENOSYS);
  CHECK(filtered([] { return error_of(::setuid(0)); }) == ENOSYS);
  CHECK(filtered([] { return error_of(::chmod("/tmp", 01777)); }) == ENOSYS);
  for (const int command : {BPF_MAP_CREATE, BPF_PROG_LOAD, BPF_RAW_TRACEPOINT_OPEN, BPF_LINK_CREATE, BPF_OBJ_PIN}) {
    CHECK(filtered([command] {
            bpf_attr attributes{};
            return error_of(::syscall(SYS_bpf, command, &attributes, sizeof(attributes)));
          }) == ENOSYS);
  }
}
