// SPDX-License-Identifier: Apache-2.0
#include "kernel/capabilities.hpp"

#include <linux/capability.h>

#include <array>

#include "kernel/file.hpp"
#include "kernel/netns.hpp"
#include "kernel/text.hpp"

namespace twtrace::kernel {
namespace {

// In the order of linux/capability.h, which only ever appends.
constexpr std::array kNames = {"CHOWN",
                               "DAC_OVERRIDE",
                               "DAC_READ_SEARCH",
                               "FOWNER",
                               "FSETID",
                               "KILL",
                               "SETGID",
                               "SETUID",
                               "SETPCAP",
                               "LINUX_IMMUTABLE",
                               "NET_BIND_SERVICE",
                               "NET_BROADCAST",
                               "NET_ADMIN",
                               "NET_RAW",
                               "IPC_LOCK",
                               "IPC_OWNER",
                               "SYS_MODULE",
                               "SYS_RAWIO",
                               "SYS_CHROOT",
                               "SYS_PTRACE",
                               "SYS_PACCT",
                               "SYS_ADMIN",
                               "SYS_BOOT",
                               "SYS_NICE",
                               "SYS_RESOURCE",
                               "SYS_TIME",
                               "SYS_TTY_CONFIG",
                               "MKNOD",
                               "LEASE",
                               "AUDIT_WRITE",
                               "AUDIT_CONTROL",
                               "SETFCAP",
                               "MAC_OVERRIDE",
                               "MAC_ADMIN",
                               "SYSLOG",
                               "WAKE_ALARM",
                               "BLOCK_SUSPEND",
                               "AUDIT_READ",
                               "PERFMON",
                               "BPF",
                               "CHECKPOINT_RESTORE"};

/// PROC_USER_INIT_INO of include/linux/proc_ns.h, in all versions.
constexpr std::uint32_t kFirstUserNamespace = 0xEFFFFFFDU;

base::Result<CapabilitySet> parse_set(std::string_view status_text, std::string_view name) {
  const std::string key = std::string(name) + ':';
  while (!status_text.empty()) {
    std::string_view line = cut(status_text, '\n');
    if (cut_word(line) != key) continue;
    const auto bits = parse_number<std::uint64_t>(trim(line), 16);
    if (bits) return CapabilitySet{*bits};
    return base::fail(base::ErrorCode::kInvalid, std::string(name) + " is not a hexadecimal number");
  }
  return base::fail(base::ErrorCode::kInvalid, "no " + std::string(name) + " line in the process status");
}

}  // namespace

std::vector<unsigned> CapabilitySet::missing(std::span<const unsigned> wanted) const {
  std::vector<unsigned> absent;
  for (const unsigned capability : wanted) {
    if (!has(capability)) absent.push_back(capability);
  }
  return absent;
}

std::vector<unsigned> missing_for_tracing(const CapabilitySet& effective, bool raises_memlock) {
  constexpr std::array<unsigned, 2> kCoveredByAdmin = {CAP_BPF, CAP_PERFMON};
  std::vector<unsigned> absent;
  if (!effective.has(CAP_SYS_ADMIN)) absent = effective.missing(kCoveredByAdmin);
  if (raises_memlock && !effective.has(CAP_SYS_RESOURCE)) absent.push_back(CAP_SYS_RESOURCE);
  return absent;
}

base::Result<CapabilitySet> parse_effective_capabilities(std::string_view status_text) {
  return parse_set(status_text, "CapEff");
}

base::Result<CapabilitySet> parse_bounding_capabilities(std::string_view status_text) {
  return parse_set(status_text, "CapBnd");
}

base::Result<CapabilitySet> effective_capabilities(const Procfs& procfs) {
  return procfs.read("thread-self/status").and_then(parse_effective_capabilities);
}

base::Result<CapabilitySet> bounding_capabilities(const Procfs& procfs) {
  return procfs.read("thread-self/status").and_then(parse_bounding_capabilities);
}

bool in_first_user_namespace(const Procfs& procfs) {
  const auto link = read_link(procfs.path("self/ns/user"));
  const auto inum = link ? parse_namespace_link(*link, "user") : std::nullopt;
  return inum.value_or(kFirstUserNamespace) == kFirstUserNamespace;
}

std::string capability_name(unsigned capability) {
  return "CAP_" + (capability < kNames.size() ? std::string(kNames[capability]) : std::to_string(capability));
}

}  // namespace twtrace::kernel
