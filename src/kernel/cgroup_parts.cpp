// SPDX-License-Identifier: Apache-2.0
// Walks a cgroup path from the root to the leaf, and recognizes the cgroup names of container engines, systemd, batch
// systems and machine managers.
#include "kernel/cgroup_parts.hpp"

#include <algorithm>
#include <array>

#include "kernel/text.hpp"

namespace twtrace::kernel {
namespace {

constexpr std::size_t kFullIdDigits = 64;
constexpr std::size_t kFewestIdDigits = 12;
constexpr std::string_view kUnit = "systemd";
constexpr std::string_view kKubernetes = "kubernetes";
constexpr std::string_view kSlurm = "slurm";

struct Prefix {
  std::string_view text;
  std::string_view kind;
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

// LXC, LXD, Incus (lxc.payload.NAME), older LXC (lxc.payload/NAME), Proxmox (lxc/NAME).
constexpr std::array<std::string_view, 2> kLxcPrefixes = {"lxc.payload.", "lxc.monitor."};
constexpr std::array<std::string_view, 3> kLxcParents = {"lxc", "lxc.payload", "lxc.monitor"};

// Units that own cgroups. A slice only groups them.
constexpr std::array<std::string_view, 5> kUnitSuffixes = {".service", ".scope", ".socket", ".mount", ".swap"};

bool strip_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool strip_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

bool is_number(std::string_view text) { return parse_number<std::uint64_t>(text).has_value(); }

bool is_full_id(std::string_view text) { return text.size() == kFullIdDigits && is_hex(text); }

bool is_container_id(std::string_view text) {
  return text.size() >= kFewestIdDigits && text.size() <= kFullIdDigits && is_hex(text);
}

// A segment of the path, with its surroundings.
struct Place {
  std::string_view segment;
  std::string_view parent;  ///< empty when the parent was a part itself
  std::string_view grandparent;
  bool in_pod = false;  ///< the parent is a pod's cgroup
  bool below_kubepods = false;
};

CgroupPart part(std::string_view kind, std::string_view id) {
  CgroupPart made;
  made.kind = kind;
  made.id = id;
  return made;
}

std::optional<CgroupPart> with_prefix(std::string_view segment) {
  strip_suffix(segment, ".scope");
  for (const Prefix& prefix : kPrefixes) {
    std::string_view id = segment;
    if (strip_prefix(id, prefix.text) && is_container_id(id)) return part(prefix.kind, id);
  }
  return std::nullopt;
}

// runc given a systemd-style name by a cgroupfs-driven runtime uses it literally: "<slice>:cri-containerd:<id>".
std::optional<CgroupPart> with_colons(std::string_view segment) {
  const auto last = segment.rfind(':');
  const auto first = segment.find(':');
  if (first == std::string_view::npos || first == last) return std::nullopt;
  const std::string prefix = std::string(segment.substr(first + 1, last - first - 1)) + '-';
  const std::string_view id = segment.substr(last + 1);
  if (!is_container_id(id)) return std::nullopt;
  for (const Prefix& known : kPrefixes) {
    if (prefix == known.text) return part(known.kind, id);
  }
  return std::nullopt;
}

std::optional<CgroupPart> with_parent(const Place& place) {
  if (!is_full_id(place.segment)) return std::nullopt;
  if (place.in_pod) return part(kKubernetes, place.segment);
  for (const Prefix& known : kParents) {
    if (place.parent == known.text) return part(known.kind, place.segment);
  }
  return std::nullopt;
}

std::optional<CgroupPart> container(const Place& place) {
  auto found = with_prefix(place.segment);
  if (!found) found = with_colons(place.segment);
  if (!found) found = with_parent(place);
  return found;
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
std::optional<CgroupPart> pod(const Place& place) {
  std::string_view segment = place.segment.substr(0, place.segment.find(':'));
  const bool slice = strip_suffix(segment, ".slice");
  const auto at = segment.rfind("pod");
  if (at == std::string_view::npos || !is_pod_uid(segment.substr(at + 3))) return std::nullopt;
  const bool named = slice ? segment.substr(0, at).find("kubepods") != std::string_view::npos && segment[at - 1] == '-'
                           : at == 0 && place.below_kubepods;
  if (!named) return std::nullopt;
  CgroupPart found = part(kKubernetes, "");
  found.pod_uid = segment.substr(at + 3);
  std::replace(found.pod_uid.begin(), found.pod_uid.end(), '_', '-');
  return found;
}

std::optional<CgroupPart> lxc(const Place& place) {
  for (const std::string_view prefix : kLxcPrefixes) {
    std::string_view name = place.segment;
    if (strip_prefix(name, prefix) && !name.empty()) return part("lxc", name);
  }
  const bool below = std::find(kLxcParents.begin(), kLxcParents.end(), place.parent) != kLxcParents.end();
  return below ? std::optional(part("lxc", place.segment)) : std::nullopt;
}

// systemd's unit_name_escape: "\x2d" is '-'.
std::string unescaped(std::string_view name) {
  std::string text;
  while (!name.empty()) {
    const auto byte =
        name.starts_with("\\x") && name.size() >= 4 ? parse_number<std::uint8_t>(name.substr(2, 2), 16) : std::nullopt;
    text += byte ? static_cast<char>(*byte) : name.front();
    name.remove_prefix(byte ? 4 : 1);
  }
  return text;
}

// A machine that systemd-machined registered, such as one of systemd-nspawn. libvirt registers "qemu-1-NAME", whose
// only process is the emulator; that stays a unit. "lxc-1-NAME" is a container of libvirt.
std::optional<CgroupPart> machine(std::string_view segment) {
  std::string_view name = segment;
  const bool scope = strip_prefix(name, "machine-") && strip_suffix(name, ".scope");
  const bool unit = !scope && strip_prefix(name, "systemd-nspawn@") && strip_suffix(name, ".service");
  if ((!scope && !unit) || name.empty()) return std::nullopt;
  const std::string plain = unescaped(name);
  if (scope && plain.starts_with("qemu-")) return std::nullopt;
  std::string_view rest = plain;
  if (scope && strip_prefix(rest, "lxc-") && is_number(cut(rest, '-')) && !rest.empty()) return part("lxc", rest);
  return part("nspawn", plain);
}

// Cloud Foundry: garden/HANDLE, garden-TAG/HANDLE, and one level deeper where CPU entitlement sorts them.
bool is_garden(std::string_view segment) { return segment == "garden" || segment.starts_with("garden-"); }

// The handle of an application's instance: a UUID, or one whose last group is shorter.
bool is_garden_handle(std::string_view text) {
  for (const std::size_t digits : {8U, 4U, 4U, 4U}) {
    const std::string_view group = cut(text, '-');
    if (group.size() != digits || !is_hex(group)) return false;
  }
  return text.size() >= 4 && text.size() <= 12 && is_hex(text);
}

std::optional<CgroupPart> garden(const Place& place) {
  const bool sorted = place.parent == "good" || place.parent == "bad";
  const bool below = is_garden(place.parent) || (sorted && is_garden(place.grandparent));
  return below && is_garden_handle(place.segment) ? std::optional(part("garden", place.segment)) : std::nullopt;
}

// "slurmstepd.scope/job_71" (cgroup v2), "slurm/uid_1000/job_71" (v1); both may carry the node's name.
std::optional<CgroupPart> slurm_job(const Place& place) {
  std::string_view number = place.segment;
  if (!strip_prefix(number, "job_") || !is_number(number)) return std::nullopt;
  const bool v1 = place.parent.starts_with("uid_") && place.grandparent.starts_with("slurm");
  const bool known = v1 || place.parent.ends_with("slurmstepd.scope");
  return known ? std::optional(part(kSlurm, place.segment)) : std::nullopt;
}

// systemd puts '_' before names that would clash with the kernel's own files (cg_escape).
std::optional<CgroupPart> unit(std::string_view segment) {
  if (segment.starts_with('_')) segment.remove_prefix(1);
  const bool known = std::any_of(kUnitSuffixes.begin(), kUnitSuffixes.end(), [&](std::string_view suffix) {
    return segment.size() > suffix.size() && segment.ends_with(suffix);
  });
  return known ? std::optional(part(kUnit, segment)) : std::nullopt;
}

// The user of a slice or manager that logind or systemd made.
std::optional<std::uint32_t> user_of(std::string_view segment) {
  const bool slice = strip_prefix(segment, "user-") && strip_suffix(segment, ".slice");
  if (!slice && !(strip_prefix(segment, "user@") && strip_suffix(segment, ".service"))) return std::nullopt;
  const auto uid = parse_number<std::uint32_t>(segment);
  return uid == 0U ? std::nullopt : uid;
}

std::optional<CgroupPart> recognize(const Place& place) {
  auto found = lxc(place);
  if (!found) found = machine(place.segment);
  if (!found) found = garden(place);
  if (!found) found = slurm_job(place);
  if (!found && is_full_id(place.segment)) found = part({}, place.segment);
  if (!found) found = unit(place.segment);
  return found;
}

class Walk {
 public:
  explicit Walk(std::string_view path) : path_(path) {}

  CgroupParts run() {
    for (std::string_view rest = path_; !rest.empty();) {
      const std::string_view segment = cut(rest, '/');
      end_ = path_.size() - rest.size() - (rest.empty() && path_.back() != '/' ? 0 : 1);
      if (!segment.empty()) step(segment);
    }
    return std::move(parts_);
  }

 private:
  void step(std::string_view segment) {
    ++depth_;
    place_.segment = segment;
    const std::size_t known = parts_.all.size();
    const bool in_pod = take_pod();
    const bool in_container = take_container();
    if (!in_pod && !in_container && !take_slurm_step() && !take_other()) take_containerd();
    if (!holds_) note_user(segment);
    place_.in_pod = in_pod && !in_container;
    place_.below_kubepods = place_.below_kubepods || segment.find("kubepods") != std::string_view::npos;
    place_.grandparent = place_.parent;
    place_.parent = parts_.all.size() > known && is_certain(parts_.all.back()) ? std::string_view() : segment;
  }

  // Certainly a container, pod or job, whatever an engine says.
  static bool is_certain(const CgroupPart& found) { return !found.is_unit() && !found.kind.empty(); }

  void note_user(std::string_view segment) {
    if (const auto uid = user_of(segment)) parts_.uid = uid;
  }

  void add(CgroupPart found) {
    found.end = end_;
    holds_ = holds_ || is_certain(found);
    parts_.all.push_back(std::move(found));
  }

  bool take_pod() {
    auto found = pod(place_);
    if (!found) return false;
    add(*std::move(found));
    return true;
  }

  // The container of a pod joins it.
  bool take_container() {
    auto found = container(place_);
    if (!found) return false;
    if (!parts_.all.empty() && parts_.all.back().kind == kKubernetes && parts_.all.back().id.empty()) {
      parts_.all.back().id = std::move(found->id);
      parts_.all.back().end = end_;
    } else {
      add(*std::move(found));
    }
    return true;
  }

  bool take_slurm_step() {
    if (parts_.all.empty() || !place_.segment.starts_with("step_")) return false;
    CgroupPart& job = parts_.all.back();
    if (job.kind != kSlurm || job.end + 1 + place_.segment.size() != end_) return false;
    job.id += '/' + std::string(place_.segment);
    job.end = end_;
    return true;
  }

  bool take_other() {
    auto found = recognize(place_);
    if (!found) return false;
    add(*std::move(found));
    return true;
  }

  // ctr names cgroups /NAMESPACE/ID, and any word is an id.
  void take_containerd() {
    if (depth_ != 2 || !parts_.all.empty() || place_.segment.ends_with(".slice")) return;
    CgroupPart found = part({}, place_.segment);
    found.containerd_namespace = place_.parent;
    add(std::move(found));
  }

  std::string_view path_;
  CgroupParts parts_;
  Place place_;
  std::size_t end_ = 0;
  std::size_t depth_ = 0;
  bool holds_ = false;  ///< some part so far is certain
};

}  // namespace

CgroupParts split_cgroup(std::string_view path) { return Walk(path).run(); }

}  // namespace twtrace::kernel
