// SPDX-License-Identifier: Apache-2.0
// The wording of advice, for `twtrace doctor` and for the findings of a report. Nothing here ever advises a lower
// limit. twtrace itself never changes anything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace twtrace::phrases {

/// 273 connections per second fill this in a minute.
inline constexpr std::uint64_t kLowLimit = 16384;
inline constexpr std::uint64_t kBytesPerBucket = 256;      ///< object size of slab tw_sock_TCP, 5.10 to 6.18
inline constexpr std::uint64_t kDefaultFinTimeoutS = 60;   ///< TCP_FIN_TIMEOUT, include/net/tcp.h
inline constexpr std::uint64_t kMaxLimit = 2'147'483'647;  ///< the setting is a signed int

inline constexpr const char* kMaxTwBuckets = "net.ipv4.tcp_max_tw_buckets";
inline constexpr const char* kSysctlFile = "/etc/sysctl.d/90-tcp.conf";

/// How a command can name a network namespace.
struct Place {
  bool host = false;                 ///< the namespace of pid 1
  std::optional<std::uint32_t> pid;  ///< a process in it
  std::string path;                  ///< a file that leads into it; empty: not known
  bool gone = false;                 ///< nothing leads into it any more
};

/// The command that sets a sysctl there, and how to keep the value across a reboot. For a namespace that is gone: how
/// to set it for the next one.
std::string sysctl_change(const Place& place, const std::string& name, std::uint64_t value);

/// The same for a value of several words.
std::string sysctl_change(const Place& place, const std::string& name, const std::string& value);

/// The same for tcp_max_tw_buckets, with the memory of a full table. Never advises less than kLowLimit.
std::string limit_change(const Place& place, std::uint64_t wanted, std::uint64_t bucket_bytes = kBytesPerBucket);

}  // namespace twtrace::phrases
