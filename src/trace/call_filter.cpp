// SPDX-License-Identifier: Apache-2.0
#include "trace/call_filter.hpp"

#include <linux/bpf.h>
#include <seccomp.h>

#include <array>
#include <cerrno>
#include <memory>
#include <span>

namespace twtrace::trace {
namespace {

// By name: libseccomp knows the numbers of every architecture, and that some calls are missing on some.
constexpr std::array kAllowed = {
    // reading /proc, cgroups and the terminal
    "read", "pread64", "readv", "preadv", "open", "openat", "openat2", "close", "close_range", "lseek", "_llseek",
    "stat", "fstat", "lstat", "newfstatat", "fstatat64", "statx", "statfs", "fstatfs", "access", "faccessat",
    "faccessat2", "readlink", "readlinkat", "getdents", "getdents64", "getcwd", "name_to_handle_at",
    "open_by_handle_at", "fcntl", "ioctl", "dup", "dup2", "dup3", "pipe2",
    // writing output and captures
    "write", "writev", "pwrite64", "pwritev", "fsync", "fdatasync", "ftruncate", "fallocate", "fchmod", "fchown",
    "umask", "unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat", "flock", "utimensat",
    // waiting
    "poll", "ppoll", "select", "pselect6", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2",
    "eventfd2", "timerfd_create", "timerfd_settime", "timerfd_gettime", "timer_create", "timer_settime",
    "timer_gettime", "timer_delete", "nanosleep", "clock_nanosleep", "futex", "sched_yield", "restart_syscall", "wait4",
    "waitid",
    // signals
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigsuspend", "rt_sigtimedwait",
    "sigaltstack", "signalfd4", "kill", "tkill", "tgkill", "pidfd_open", "pidfd_send_signal",
    // the end of the name helper
    "shutdown",
    // memory
    "brk", "mmap", "munmap", "mremap", "mprotect", "madvise", "mincore",
    // what this process is, and the time
    "clock_gettime", "clock_getres", "gettimeofday", "time", "getpid", "gettid", "getppid", "getpgid", "getpgrp",
    "getsid", "getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups", "getrusage", "getrlimit",
    "prlimit64", "getrandom", "uname", "sysinfo", "getcpu", "sched_getaffinity", "sched_setaffinity", "rseq",
    "set_robust_list", "get_robust_list", "capget", "prctl", "exit", "exit_group"};

// On sockets: taking requests, and answering them.
constexpr std::array kAllowedToServers = {"accept",     "accept4",    "recv",        "recvfrom",   "recvmsg",
                                          "send",       "sendto",     "sendmsg",     "sendfile",   "sendfile64",
                                          "setsockopt", "getsockopt", "getsockname", "getpeername"};

/// Beyond those of servers: to look up a name and connect. The resolver starts a thread.
constexpr std::array kAllowedToClients = {"socket",   "connect",  "bind",  "socketpair",
                                          "sendmmsg", "recvmmsg", "clone", "clone3"};

/// Of bpf(2): what is done with maps, programs and iterators that are there. Nothing new is loaded.
constexpr std::array kBpfCommands = {BPF_MAP_LOOKUP_ELEM,
                                     BPF_MAP_UPDATE_ELEM,
                                     BPF_MAP_DELETE_ELEM,
                                     BPF_MAP_GET_NEXT_KEY,
                                     BPF_MAP_LOOKUP_AND_DELETE_ELEM,
                                     BPF_MAP_LOOKUP_BATCH,
                                     BPF_MAP_LOOKUP_AND_DELETE_BATCH,
                                     BPF_MAP_UPDATE_BATCH,
                                     BPF_MAP_DELETE_BATCH,
                                     BPF_PROG_TEST_RUN,
                                     BPF_OBJ_GET_INFO_BY_FD,
                                     BPF_ITER_CREATE};

struct Release {
  void operator()(void* filter) const { seccomp_release(filter); }
};

/// libseccomp returns negative error numbers.
int allow_all(scmp_filter_ctx filter, std::span<const char* const> names) {
  for (const char* name : names) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number < 0) continue;  // not of this architecture
    if (const int error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0); error != 0) return error;
  }
  return 0;
}

int allow_with(scmp_filter_ctx filter, const char* name, unsigned first_argument) {
  const scmp_arg_cmp compare{0, SCMP_CMP_EQ, first_argument, 0};
  return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(name), 1, &compare);
}

}  // namespace

int filter_system_calls(Network network) {
  const std::unique_ptr<void, Release> filter(seccomp_init(SCMP_ACT_ERRNO(ENOSYS)));
  if (!filter) return ENOMEM;
  int error = seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
  if (error == 0) error = allow_all(filter.get(), kAllowed);
  if (error == 0 && network != Network::kNone) error = allow_all(filter.get(), kAllowedToServers);
  if (error == 0 && network == Network::kConnects) error = allow_all(filter.get(), kAllowedToClients);
  for (const bpf_cmd command : kBpfCommands) {
    if (error == 0) error = allow_with(filter.get(), "bpf", command);
  }
  if (error == 0) error = seccomp_load(filter.get());
  return -error;
}

}  // namespace twtrace::trace
