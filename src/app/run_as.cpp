// SPDX-License-Identifier: Apache-2.0
#include "app/run_as.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kernel/capabilities.hpp"
#include "kernel/text.hpp"

namespace twtrace::app {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kNativeArch = AUDIT_ARCH_X86_64;
constexpr std::uint32_t kOtherAbiBit = 0x40000000;  // __X32_SYSCALL_BIT of asm/unistd.h
constexpr std::uint32_t kOtherIoctl = 514;          // of x32
#elif defined(__aarch64__)
constexpr std::uint32_t kNativeArch = AUDIT_ARCH_AARCH64;
constexpr std::uint32_t kOtherAbiBit = 0;
constexpr std::uint32_t kOtherIoctl = __NR_ioctl;
#else
#error "add the audit architecture of this one, and its other ABI if it has one"
#endif
constexpr std::uint32_t kIoctlOf32Bit = 54;  // i386 and arm

struct Ids {
  uid_t real = 0;
  uid_t effective = 0;
  uid_t saved = 0;

  static Ids now() {
    Ids ids;
    ::getresuid(&ids.real, &ids.effective, &ids.saved);
    return ids;
  }
  bool all(uid_t uid) const { return real == uid && effective == uid && saved == uid; }
};

bool may_change_ids() {
  constexpr std::array<unsigned, 2> kWanted = {CAP_SETUID, CAP_SETGID};
  const auto effective = kernel::effective_capabilities(kernel::Procfs());
  return effective ? effective->missing(kWanted).empty() : ::geteuid() == 0;
}

/// Every group of the user. getgrouplist(3) says how many there are if the array is too small.
std::vector<gid_t> groups_of(const passwd& user) {
  std::vector<gid_t> groups(16);
  int count = static_cast<int>(groups.size());
  while (::getgrouplist(user.pw_name, user.pw_gid, groups.data(), &count) < 0) {
    groups.resize(std::max(static_cast<std::size_t>(count), groups.size() * 2));
    count = static_cast<int>(groups.size());
  }
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

/// Variables that belong only to the caller. A name that ends in "*" is a prefix.
bool is_callers_own(std::string_view name) {
  constexpr std::array<std::string_view, 15> kCallers = {"DBUS_SESSION_BUS_ADDRESS",
                                                         "GNUPGHOME",
                                                         "GPG_AGENT_INFO",
                                                         "KRB5CCNAME",
                                                         "MAIL",
                                                         "MAILPATH",
                                                         "SSH_AGENT_PID",
                                                         "SSH_AUTH_SOCK",
                                                         "SUDO_*",
                                                         "XAUTHORITY",
                                                         "XDG_CACHE_HOME",
                                                         "XDG_CONFIG_HOME",
                                                         "XDG_DATA_HOME",
                                                         "XDG_RUNTIME_DIR",
                                                         "XDG_S*"};  // XDG_SESSION_ID, XDG_SEAT, XDG_STATE_HOME
  return std::any_of(kCallers.begin(), kCallers.end(), [name](std::string_view callers) {
    return callers.back() == '*' ? name.starts_with(callers.substr(0, callers.size() - 1)) : name == callers;
  });
}

int clear_capabilities() {
  // Before 4.3 there are no ambient capabilities to clear.
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL) return errno;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  return ::syscall(SYS_capset, &header, none.data()) == 0 ? 0 : errno;
}

/// Keeps the command from typing into the terminal that it shares with the caller, whose shell would run the text.
/// TIOCSTI can do that (until dev.tty.legacy_tiocsti=0, 6.2), and so can TIOCLINUX on a console. Needs CAP_SYS_ADMIN
/// and a kernel with seccomp. Without these, the command is as unrestricted as under runuser(1).
void forbid_typing() {
  constexpr auto kNumber = static_cast<std::uint32_t>(offsetof(seccomp_data, nr));
  constexpr auto kArch = static_cast<std::uint32_t>(offsetof(seccomp_data, arch));
  // Little endian: the low half comes first. The kernel uses no more of it.
  constexpr auto kRequest = static_cast<std::uint32_t>(offsetof(seccomp_data, args) + sizeof(std::uint64_t));
  std::array filter = {
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kArch),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kNativeArch, 2, 0),
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNumber),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kIoctlOf32Bit, 3, 6),
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNumber),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_ioctl, 1, 0),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kOtherAbiBit | kOtherIoctl, 0, 3),
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kRequest),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TIOCSTI, 2, 0),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TIOCLINUX, 1, 0),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
  };
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  static_cast<void>(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0U, &program));
}

/// The caller's other open files may be files that only the caller may open.
void close_at_exec() {
  constexpr unsigned kFirst = STDERR_FILENO + 1;
  if (::syscall(SYS_close_range, kFirst, ~0U, 1U << 2U /* CLOSE_RANGE_CLOEXEC */) == 0) return;  // 5.11
  const long most = ::sysconf(_SC_OPEN_MAX);
  for (int fd = kFirst; fd < most; ++fd) static_cast<void>(::fcntl(fd, F_SETFD, FD_CLOEXEC));
}

}  // namespace

base::Result<RunAs> find_user(const std::string& user) {
  const passwd* found = ::getpwnam(user.c_str());
  if (const auto number = kernel::parse_number<uid_t>(user); found == nullptr && number) found = ::getpwuid(*number);
  if (found == nullptr) {
    return base::fail(base::ErrorCode::kUsage, "--user: there is no user \"" + user + "\"",
                      "give a name or a number that getent passwd lists");
  }
  RunAs result{found->pw_name, found->pw_uid, found->pw_gid, groups_of(*found), found->pw_dir, found->pw_shell};
  if (result.shell.empty()) result.shell = "/bin/sh";  // passwd(5)
  if (!Ids::now().all(result.uid) && !may_change_ids()) {
    return base::fail(base::ErrorCode::kPermission,
                      "--user: running a command as " + result.name + " needs CAP_SETUID and CAP_SETGID",
                      "run twtrace with sudo");
  }
  return result;
}

std::vector<std::string> environment_of(const RunAs& user, const std::vector<std::string>& environment) {
  std::vector<std::string> result = {"HOME=" + user.home, "USER=" + user.name, "LOGNAME=" + user.name,
                                     "SHELL=" + user.shell};
  constexpr std::array<std::string_view, 4> kSet = {"HOME", "USER", "LOGNAME", "SHELL"};
  for (const std::string& variable : environment) {
    const std::string_view name = std::string_view(variable).substr(0, variable.find('='));
    if (std::find(kSet.begin(), kSet.end(), name) == kSet.end() && !is_callers_own(name)) result.push_back(variable);
  }
  return result;
}

int become(const RunAs& user) {
  // A process that is already that user, and may not change its groups, keeps them.
  const bool kept = ::setgroups(user.groups.size(), user.groups.data()) != 0;
  if (kept && !(errno == EPERM && Ids::now().all(user.uid))) return errno;
  if (!kept && ::setresgid(user.gid, user.gid, user.gid) != 0) return errno;
  if (user.uid != 0) forbid_typing();
  if (::setresuid(user.uid, user.uid, user.uid) != 0) return errno;
  // When root becomes another user, the kernel clears permitted and ambient capabilities, unless securebits prevent it.
  // It never clears inheritable ones (capabilities(7)).
  if (user.uid != 0) {
    if (const int error = clear_capabilities(); error != 0) return error;
  }
  if (!Ids::now().all(user.uid) || (user.uid != 0 && ::setuid(0) == 0)) return EPERM;
  // A process may use the keys in its session keyring, whoever owns them.
  static_cast<void>(::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr));
  close_at_exec();
  return 0;
}

}  // namespace twtrace::app
