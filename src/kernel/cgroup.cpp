// SPDX-License-Identifier: Apache-2.0
#include "kernel/cgroup.hpp"

#include <algorithm>
#include <array>

#include "kernel/text.hpp"

namespace twtrace::kernel {
namespace {

constexpr std::size_t kFullIdLength = 64;
constexpr std::size_t kShortIdLength = 12;
constexpr std::size_t kShortUidLength = 8;

struct Container {
  const char* kind = nullptr;
  std::string_view id;
};

struct Prefix {
  std::string_view text;
  const char* kind;
};

// Scope names of the systemd cgroup driver; podman and cri-o use the same ones without ".scope" otherwise.
constexpr std::array kPrefixes = {
    Prefix{"docker-", "docker"},
    Prefix{"cri-containerd-", "containerd"},
    Prefix{"nerdctl-", "containerd"},
    Prefix{"crio-conmon-", "cri-o"},
    Prefix{"crio-", "cri-o"},
    Prefix{"libpod-conmon-", "podman"},
    Prefix{"libpod-payload-", "podman"},
    Prefix{"libpod-", "podman"},
};

// Directories of the cgroupfs driver that hold one cgroup per container, named by its id alone.
constexpr std::array kParents = {
    Prefix{"docker", "docker"},
    Prefix{"default", "containerd"},  // nerdctl, ctr: the containerd namespace
    Prefix{"k8s.io", "containerd"},
    Prefix{"moby", "docker"},
};

// Units that own cgroups. A slice only groups them.
constexpr std::array<std::string_view, 5> kUnitSuffixes = {".service", ".scope", ".socket", ".mount", ".swap"};

bool strip_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

bool is_container_id(std::string_view text) {
  return text.size() >= kShortIdLength && text.size() <= kFullIdLength && is_hex(text);
}

Container with_prefix(std::string_view segment) {
  strip_suffix(segment, ".scope");
  for (const Prefix& prefix : kPrefixes) {
    if (!segment.starts_with(prefix.text)) continue;
    const std::string_view id = segment.substr(prefix.text.size());
    if (is_container_id(id)) return {prefix.kind, id};
  }
  return {};
}

// runc given a systemd-style name by a cgroupfs-driven runtime uses it literally: "<slice>:cri-containerd:<id>".
Container with_colons(std::string_view segment) {
  const auto last = segment.rfind(':');
  const auto first = segment.find(':');
  if (first == std::string_view::npos || first == last) return {};
  const std::string prefix = std::string(segment.substr(first + 1, last - first - 1)) + '-';
  const std::string_view id = segment.substr(last + 1);
  if (!is_container_id(id)) return {};
  for (const Prefix& known : kPrefixes) {
    if (prefix == known.text) return {known.kind, id};
  }
  return {};
}

Container with_parent(std::string_view parent, bool parent_is_pod, std::string_view segment) {
  if (segment.size() != kFullIdLength || !is_hex(segment)) return {};
  if (parent_is_pod) return {"kubernetes", segment};
  for (const Prefix& known : kParents) {
    if (parent == known.text) return {known.kind, segment};
  }
  return {};
}

// A pod's uid: a UUID (dashes are underscores in slice names), or the 32 hex digits of a static pod.
bool is_pod_uid(std::string_view text) {
  if (text.size() == 32) return is_hex(text);
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' && text[i] != '_' : !is_hex(text.substr(i, 1))) return false;
  }
  return true;
}

// "kubepods-burstable-pod<uid>.slice", the same before a ':', or "pod<uid>" below a kubepods directory.
std::string_view pod_uid(std::string_view segment, bool below_kubepods) {
  segment = segment.substr(0, segment.find(':'));
  const bool slice = strip_suffix(segment, ".slice");
  const auto at = segment.rfind("pod");
  if (at == std::string_view::npos || !is_pod_uid(segment.substr(at + 3))) return {};
  const bool named = slice ? segment.substr(0, at).find("kubepods") != std::string_view::npos && segment[at - 1] == '-'
                           : at == 0 && below_kubepods;
  return named ? segment.substr(at + 3) : std::string_view{};
}

bool is_user_manager(std::string_view unit) { return unit.starts_with("user@") && unit.ends_with(".service"); }

// systemd puts '_' before names that would clash with the kernel's own files (cg_escape).
std::string_view unit_name(std::string_view segment) {
  if (segment.starts_with('_')) segment.remove_prefix(1);
  const bool unit = std::any_of(kUnitSuffixes.begin(), kUnitSuffixes.end(), [&](std::string_view suffix) {
    return segment.size() > suffix.size() && segment.ends_with(suffix);
  });
  return unit ? segment : std::string_view{};
}

// What one walk from the root to the leaf finds. The views point into the path.
struct Findings {
  std::string_view pod;
  Container container;
  std::string_view unit;
};

Findings walk(std::string_view path) {
  Findings found;
  std::string_view parent;
  bool below_kubepods = false;
  bool parent_is_pod = false;
  while (!path.empty()) {
    const std::string_view segment = cut(path, '/');
    if (segment.empty()) continue;
    const std::string_view pod = pod_uid(segment, below_kubepods);
    if (!pod.empty()) {
      found.pod = pod;
      found.container = {};  // that of the node, when the node is a container itself
    }
    Container container = with_prefix(segment);
    if (!container.kind) container = with_colons(segment);
    if (!container.kind) container = with_parent(parent, parent_is_pod, segment);
    if (container.kind) found.container = container;

    const std::string_view unit = unit_name(segment);
    if (!unit.empty() && (found.unit.empty() || is_user_manager(found.unit))) found.unit = unit;
    below_kubepods = below_kubepods || segment.find("kubepods") != std::string_view::npos;
    parent_is_pod = !pod.empty();
    parent = segment;
  }
  return found;
}

std::string with_dashes(std::string_view uid) {
  std::string dashed(uid);
  std::replace(dashed.begin(), dashed.end(), '_', '-');
  return dashed;
}

}  // namespace

base::Service classify_cgroup(std::string_view path) {
  if (path.size() > kMaxCgroupPathBytes) path = path.substr(path.size() - kMaxCgroupPathBytes);
  base::Service service;
  if (path.empty()) return service;
  const Findings found = walk(path);
  service.cgroup = path;
  service.container = found.container.id;
  if (!found.pod.empty()) {
    service.kind = "kubernetes";
    service.pod = with_dashes(found.pod);
    service.name = "pod" + service.pod.substr(0, kShortUidLength);
    if (!service.container.empty()) service.name += '/' + service.container.substr(0, kShortIdLength);
  } else if (found.container.kind) {
    service.kind = found.container.kind;
    service.name = service.container.substr(0, kShortIdLength);
  } else if (!found.unit.empty()) {
    service.kind = "systemd";
    service.name = found.unit;
  } else {
    service.kind = "cgroup";
    service.name = path;
  }
  return service;
}

std::optional<std::string> process_cgroup(std::string_view text, std::string_view controllers) {
  constexpr std::string_view kDeleted = " (deleted)";
  while (!text.empty()) {
    std::string_view line = cut(text, '\n');
    const std::string_view hierarchy = cut(line, ':');
    const std::string_view listed = cut(line, ':');
    if (listed != controllers || (controllers.empty() && hierarchy != "0")) continue;
    strip_suffix(line, kDeleted);
    if (line.empty()) return std::nullopt;
    return std::string(line);
  }
  return std::nullopt;
}

}  // namespace twtrace::kernel
