// SPDX-License-Identifier: Apache-2.0
#include "kernel/net_settings.hpp"

#include <cstdlib>

#include "kernel/ephemeral_ports.hpp"
#include "kernel/file.hpp"
#include "kernel/text.hpp"

namespace twtrace::kernel {
namespace {

constexpr std::string_view kEhashEntries = "net/ipv4/tcp_ehash_entries";  // since 6.1: d1e5e6408b30
constexpr std::string_view kMaxSynBacklog = "net/ipv4/tcp_max_syn_backlog";
constexpr std::string_view kSomaxconn = "net/core/somaxconn";
constexpr std::string_view kBucketSlab = "tw_sock_TCP";  // "tw_sock_" and the protocol's name: proto_register

std::optional<std::uint64_t> setting(const Sysctl& sysctl, std::string_view name) {
  const auto value = sysctl.read_u64(name);
  return value ? std::optional(*value) : std::nullopt;
}

/// tcp_ehash_entries is negative if the namespace uses the host's table.
std::optional<std::uint64_t> default_limit(const Sysctl& sysctl) {
  const auto entries = sysctl.read_i64(kEhashEntries);
  if (!entries) return std::nullopt;
  return static_cast<std::uint64_t>(std::abs(*entries)) / 2;
}

}  // namespace

base::NetSettings read_net_settings(const Sysctl& sysctl) {
  base::NetSettings settings;
  settings.limit = setting(sysctl, kTcpMaxTwBuckets);
  settings.default_limit = default_limit(sysctl);
  settings.fin_timeout_s = setting(sysctl, kTcpFinTimeout);
  settings.tw_reuse = setting(sysctl, kTcpTwReuse);
  settings.timestamps = setting(sysctl, kTcpTimestamps);
  settings.syn_backlog = setting(sysctl, kMaxSynBacklog);
  settings.somaxconn = setting(sysctl, kSomaxconn);
  if (const auto ports = read_ephemeral_ports(sysctl)) settings.ephemeral_ports = *ports;
  return settings;
}

std::optional<std::uint64_t> parse_slab_size(std::string_view slabinfo, std::string_view slab) {
  while (!slabinfo.empty()) {
    std::string_view line = cut(slabinfo, '\n');
    if (cut_word(line) != slab) continue;
    cut_word(line);  // active_objs
    cut_word(line);  // num_objs
    return parse_number<std::uint64_t>(cut_word(line));
  }
  return std::nullopt;
}

std::optional<std::uint64_t> read_bucket_bytes(const std::filesystem::path& root) {
  if (const auto text = read_file(root / "proc/slabinfo")) {
    if (const auto size = parse_slab_size(*text, kBucketSlab)) return size;
  }
  const auto text = read_file(root / "sys/kernel/slab" / kBucketSlab / "slab_size");
  return text ? parse_number<std::uint64_t>(trim(*text)) : std::nullopt;
}

}  // namespace twtrace::kernel
