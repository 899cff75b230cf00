// SPDX-License-Identifier: Apache-2.0
#include "report/finding_words.hpp"

#include <fmt/format.h>

#include <cmath>

#include "phrases/namespace.hpp"

namespace twtrace::report {
namespace {

constexpr const char* kHost = "host";  // NetnsRow::name of the namespace of pid 1

}  // namespace

phrases::Place place_of(const std::string& name, bool gone) {
  if (name == kHost) return {true, 1, "/proc/1/ns/net"};
  return {false, std::nullopt, name.empty() ? std::string() : "/run/netns/" + name, gone};
}

std::string in_namespace(const model::NetnsRow& netns, const std::string& command) {
  if (netns.name == kHost) return command;
  if (netns.gone) return "none: the namespace is gone, only this capture still tells";
  const std::string entry = netns.name.empty() ? "/proc/PID/ns/net" : phrases::shell_quoted("/run/netns/" + netns.name);
  const std::string pid = netns.name.empty() ? "; PID: lsns -t net shows it for " + std::to_string(netns.netns) : "";
  return "nsenter --net=" + entry + " " + command + pid;
}

std::string title(const model::NetnsRow& netns) { return "netns " + phrases::netns_words(netns.netns, netns.name); }

std::string truncated_percent(double percent) { return fmt::format("{:.0f}%", std::floor(percent)); }

std::string percent(double share) { return truncated_percent(share * 100); }

}  // namespace twtrace::report
