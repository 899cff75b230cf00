// SPDX-License-Identifier: Apache-2.0
#include "kernel/counters.hpp"

#include <array>
#include <string>

#include "kernel/file.hpp"
#include "kernel/sysctl.hpp"
#include "kernel/text.hpp"

namespace twtrace::kernel {
namespace {

struct Column {
  std::string_view name;
  std::uint64_t TcpExt::*field;
};

constexpr std::array kColumns = {
    Column{"TW", &TcpExt::tw},
    Column{"TWKilled", &TcpExt::tw_killed},
    Column{"TWRecycled", &TcpExt::tw_recycled},
    Column{"TCPTimeWaitOverflow", &TcpExt::time_wait_overflow},
    Column{"ListenOverflows", &TcpExt::listen_overflows},
    Column{"ListenDrops", &TcpExt::listen_drops},
};

tl::unexpected<base::Error> missing(std::string_view what) {
  return base::fail(base::ErrorCode::kInvalid, "the kernel shows no counter " + std::string(what));
}

// Walks over both lines at once, because names and values have the same positions.
base::Result<TcpExt> parse_columns(std::string_view names, std::string_view values) {
  TcpExt ext;
  std::array<bool, kColumns.size()> found{};
  while (true) {
    const std::string_view name = cut_word(names);
    const std::string_view value = cut_word(values);
    if (name.empty()) break;
    for (std::size_t i = 0; i < kColumns.size(); ++i) {
      if (name != kColumns[i].name) continue;
      const auto number = parse_number<std::uint64_t>(value);
      if (!number) return missing("TcpExt" + std::string(name) + " with a number");
      ext.*kColumns[i].field = *number;
      found[i] = true;
    }
  }
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    if (!found[i]) return missing("TcpExt" + std::string(kColumns[i].name));
  }
  return ext;
}

base::Result<NetnsCounters> read_net(const Procfs& procfs, const std::string& process) {
  const auto netstat = procfs.read(process + "/net/netstat");
  if (!netstat) return tl::unexpected(netstat.error());
  const auto sockstat = procfs.read(process + "/net/sockstat");
  if (!sockstat) return tl::unexpected(sockstat.error());
  const auto ext = parse_netstat(*netstat);
  if (!ext) return tl::unexpected(ext.error());
  const auto in_use = parse_sockstat(*sockstat);
  if (!in_use) return tl::unexpected(in_use.error());
  return NetnsCounters{.ext = *ext, .out_resets = {}, .in_use = *in_use, .limit = {}};
}

bool is_in(const Procfs& procfs, const std::string& process, std::uint32_t inum) {
  const auto link = read_link(procfs.path(process + "/ns/net"));
  return link && parse_namespace_link(*link, "net") == inum;
}

}  // namespace

base::Result<TcpExt> parse_netstat(std::string_view text) {
  while (!text.empty()) {
    std::string_view names = cut(text, '\n');
    std::string_view values = text.substr(0, text.find('\n'));
    if (cut_word(names) != "TcpExt:" || cut_word(values) != "TcpExt:") continue;
    return parse_columns(names, values);
  }
  return missing("TcpExt");
}

base::Result<std::uint64_t> parse_sockstat(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = cut(text, '\n');
    if (cut_word(line) != "TCP:") continue;
    while (!line.empty()) {
      if (cut_word(line) != "tw") continue;
      const auto number = parse_number<std::uint64_t>(cut_word(line));
      if (number) return *number;
    }
  }
  return missing("tw in sockstat");
}

base::Result<NetnsCounters> read_counters(const Procfs& procfs, const NetnsRef& ref) {
  const auto moved = [&] {
    return base::fail(base::ErrorCode::kNotFound,
                      "no process is known in network namespace " + std::to_string(ref.inum));
  };
  if (!ref.pid || !is_in(procfs, std::to_string(*ref.pid), ref.inum)) return moved();
  auto counters = read_net(procfs, std::to_string(*ref.pid));
  if (!is_in(procfs, std::to_string(*ref.pid), ref.inum)) return moved();
  // The setting is signed. A negative value means no limit, so there is nothing to compare with.
  const auto limit = Sysctl(procfs.path("sys")).read_u64(kTcpMaxTwBuckets);
  if (counters && limit && is_in(procfs, "thread-self", ref.inum)) counters->limit = *limit;
  return counters;
}

}  // namespace twtrace::kernel
