// SPDX-License-Identifier: Apache-2.0
#include "trace/least_privilege.hpp"

#include <grp.h>
#include <linux/bpf.h>
#include <pwd.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <sstream>
#include <type_traits>

#include "base/log.hpp"
#include "kernel/procfs.hpp"

namespace twtrace::trace {
namespace {

constexpr std::array kKept = {
    KeptCapability{Duty::kWatch, CAP_SYS_PTRACE, "name namespaces that only other users' processes are in"},
    KeptCapability{Duty::kWatch, CAP_DAC_READ_SEARCH, "look up cgroups by id, and container names in files of root"},
    KeptCapability{Duty::kReadMaps, CAP_BPF, "read BPF maps, which this kernel allows nobody else (before 5.19)"},
    KeptCapability{Duty::kPassSignals, CAP_KILL, "pass signals on to the command"},
    KeptCapability{Duty::kReadForOthers, CAP_DAC_READ_SEARCH, "read captures of other users"},
    KeptCapability{Duty::kReadLogs, CAP_DAC_READ_SEARCH, "follow log files of other users (capture --log run as root)"},
    KeptCapability{Duty::kWriteForOthers, CAP_DAC_OVERRIDE, "write a capture of another user in a directory of root"},
    KeptCapability{Duty::kWriteForOthers, CAP_CHOWN, "give the capture to its user"},
};

constexpr uid_t kOverflowId = 65534;  // of the kernel's overflowuid, and of most distributions' nobody

constexpr std::uint64_t bit(unsigned capability) { return std::uint64_t{1} << capability; }

struct FreeCap {
  void operator()(cap_t caps) const { cap_free(caps); }
};
using Caps = std::unique_ptr<std::remove_pointer_t<cap_t>, FreeCap>;

base::Error failed(int saved_errno, const std::string& what) {
  auto error = base::fail_errno(saved_errno, what, "--keep-privileges runs without dropping any");
  error.value().code = base::ErrorCode::kPermission;
  return error.value();
}

/// 0 or errno.
int become(const Account& account) {
  // Groups first: they cannot be changed without the uid's capabilities, which end with the uid unless kept.
  if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return errno;
  if (::setgroups(account.groups.size(), account.groups.data()) != 0) return errno;
  if (::setresgid(account.gid, account.gid, account.gid) != 0) return errno;
  if (::setresuid(account.uid, account.uid, account.uid) != 0) return errno;
  return ::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) == 0 ? 0 : errno;
}

/// Whether a map of this user namespace ("INSIDE OUTSIDE COUNT" lines) covers an id.
bool covers(const char* file, std::uint64_t id) {
  const auto text = kernel::Procfs().read(file);
  if (!text) return true;
  std::istringstream lines(*text);
  std::uint64_t inside = 0;
  std::uint64_t outside = 0;
  std::uint64_t count = 0;
  while (lines >> inside >> outside >> count) {
    if (id >= inside && id - inside < count) return true;
  }
  return false;
}

bool is_mapped(const Account& account) {
  return covers("self/uid_map", account.uid) && covers("self/gid_map", account.gid);
}

/// What is not in `kept` goes from all sets. 0 or errno.
int keep_only(const kernel::CapabilitySet& kept) {
  const Caps caps(cap_init());
  if (!caps) return errno;
  for (cap_value_t number = 0; number < 64; ++number) {
    if (!kept.has(static_cast<unsigned>(number))) continue;
    for (const cap_flag_t flag : {CAP_PERMITTED, CAP_EFFECTIVE}) {
      if (cap_set_flag(caps.get(), flag, 1, &number, CAP_SET) != 0) return errno;
    }
  }
  return cap_set_proc(caps.get()) == 0 ? 0 : errno;
}

}  // namespace

std::span<const KeptCapability> kept_capabilities() { return kKept; }

kernel::CapabilitySet keep_for(const std::set<Duty>& duties, const kernel::CapabilitySet& held) {
  kernel::CapabilitySet kept;
  for (const KeptCapability& known : kKept) {
    if (duties.contains(known.duty) && held.has(known.number)) kept.bits |= bit(known.number);
  }
  const bool in_place_of_bpf = duties.contains(Duty::kReadMaps) && !held.has(CAP_BPF) && held.has(CAP_SYS_ADMIN);
  if (in_place_of_bpf) kept.bits |= bit(CAP_SYS_ADMIN);  // bpf_capable() of linux/capability.h
  return kept;
}

Account nobody() {
  const passwd* found = ::getpwnam("nobody");
  if (found == nullptr) return {kOverflowId, kOverflowId, {}};
  return {found->pw_uid, found->pw_gid, {}};
}

bool maps_need_capability() {
  const Caps before(cap_get_proc());
  const Caps none(before ? cap_dup(before.get()) : nullptr);
  if (!none || cap_clear_flag(none.get(), CAP_EFFECTIVE) != 0 || cap_set_proc(none.get()) != 0) return true;
  bpf_attr attributes{};
  attributes.map_fd = ~0U;  // a kernel that looks at it says EBADF
  const long result = ::syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attributes, sizeof(attributes));
  const bool refused = result < 0 && errno == EPERM;
  cap_set_proc(before.get());
  return refused;
}

base::Result<void> drop_all_but(const Reduction& reduction) {
  const auto held = kernel::effective_capabilities(kernel::Procfs());
  const kernel::CapabilitySet kept = keep_for(reduction.duties, held.value_or(kernel::CapabilitySet{}));
  const bool may_become = !held || (held->has(CAP_SETUID) && held->has(CAP_SETGID));
  if (reduction.account && may_become && is_mapped(*reduction.account)) {
    if (const int error = become(*reduction.account); error != 0) {
      return tl::unexpected(failed(error, "cannot become user " + std::to_string(reduction.account->uid)));
    }
  }
  if (const int error = keep_only(kept); error != 0) return tl::unexpected(failed(error, "cannot drop capabilities"));
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return tl::unexpected(failed(errno, "cannot set no_new_privs"));
  const auto left = kernel::effective_capabilities(kernel::Procfs());
  if (left && !(*left == kept)) return tl::unexpected(failed(EPERM, "capabilities are left that were dropped"));
  return {};
}

base::Result<void> reduce_privileges(const Reduction& reduction) {
  if (auto dropped = drop_all_but(reduction); !dropped) return dropped;
  if (const int error = filter_system_calls(reduction.network); error != 0) {
    spdlog::info("system calls are not filtered: {}", std::strerror(error));
  }
  return {};
}

}  // namespace twtrace::trace
