// SPDX-License-Identifier: Apache-2.0
#include "trace/doctor_checks.hpp"

#include <linux/capability.h>

#include <array>
#include <string_view>

#include "base/log.hpp"
#include "kernel/capabilities.hpp"
#include "kernel/cgroup_fs.hpp"
#include "kernel/counters.hpp"
#include "kernel/lockdown.hpp"
#include "kernel/net_settings.hpp"
#include "kernel/netns.hpp"
#include "kernel/sysctl.hpp"
#include "trace/host.hpp"
#include "trace/jiffies.hpp"
#include "trace/least_privilege.hpp"
#include "trace/privileges.hpp"
#include "trace/resources.hpp"
#include "trace/translate.hpp"

namespace twtrace::trace {
namespace {

struct CapabilityCost {
  unsigned number;
  bool covered_by_admin;  ///< CAP_SYS_ADMIN includes it (bpf_capable, perfmon_capable: linux/capability.h, 5.8)
  const char* cost;
};

constexpr std::array kCapabilities = {
    CapabilityCost{CAP_BPF, true, "BPF programs cannot be loaded: twtrace does not run"},
    CapabilityCost{CAP_PERFMON, true, "BPF programs that trace are refused: twtrace does not run"},
    CapabilityCost{CAP_SYS_PTRACE, false, "network namespaces that only other users' processes are in have no names"},
    CapabilityCost{CAP_DAC_READ_SEARCH, false, "services are looked up by a walk over the cgroup tree, which is slow"},
    CapabilityCost{CAP_NET_ADMIN, false, "twtrace demo cannot set up its namespace; nothing else needs it"},
};

/// Only where maps are charged so (Features::memcg_charged).
constexpr CapabilityCost kLocksMemory{CAP_SYS_RESOURCE, false,
                                      "RLIMIT_MEMLOCK cannot be raised for the BPF maps (before 5.11): unless it is "
                                      "large, twtrace does not run"};

/// The process that keeps capabilities for a duty; null: it is no helper's.
const char* helper_for(Duty duty) {
  switch (duty) {
    case Duty::kWatch:
      return "twtrace-names";
    case Duty::kReadLogs:
      return "twtrace-logs";
    default:
      return nullptr;
  }
}

/// What becomes of a capability that is held: every process that keeps it, and why.
std::string after_start(unsigned capability) {
  std::string text;
  for (const KeptCapability& kept : kept_capabilities()) {
    if (kept.number != capability) continue;
    const char* const helper = helper_for(kept.duty);
    if (helper == nullptr && (kept.duty != Duty::kReadMaps || !maps_need_capability())) continue;
    text += text.empty() ? "kept after the start" : ";";
    if (helper != nullptr) text += std::string(" by ") + helper;
    text += std::string(", to ") + kept.reason;
  }
  return text.empty() ? "dropped after the start" : text;
}

model::DoctorCheck check_capability(const CapabilityCost& known, const kernel::CapabilitySet& effective) {
  model::DoctorCheck check{kernel::capability_name(known.number), effective.has(known.number), ""};
  const bool is_for_bpf = known.covered_by_admin || known.number == CAP_SYS_RESOURCE;
  const bool counts_here = !is_for_bpf || kernel::in_first_user_namespace(kernel::Procfs());
  if (check.ok && !counts_here) {
    check.ok = false;
    check.detail = "held in this user namespace, where it does not count for BPF";
  } else if (check.ok) {
    check.detail = after_start(known.number);
  } else {
    check.detail = known.covered_by_admin && effective.has(CAP_SYS_ADMIN) ? "CAP_SYS_ADMIN covers it" : known.cost;
  }
  return check;
}

std::vector<model::DoctorCheck> check_capabilities(const kernel::CapabilitySet& effective) {
  std::vector<model::DoctorCheck> checks;
  checks.reserve(std::size(kCapabilities));
  for (const CapabilityCost& known : kCapabilities) checks.push_back(check_capability(known, effective));
  return checks;
}

std::vector<model::DoctorCheck> check_features(const loader::Features& features) {
  const auto check = [](const char* name, bool ok, const char* cost) {
    return model::DoctorCheck{name, ok, ok ? "" : cost};
  };
  return {
      check("task-btf", features.task_btf, "the task is read through bpf_probe_read_kernel (older than 5.11)"),
      check("socket-cookie", features.socket_cookie, "events carry no cookie to find the socket in ss (before 5.12)"),
      check("probe-read", features.probe_read,
            "this kernel forbids it (lockdown=confidentiality): only the fentry backend can run"),
      check("task-files", features.task_files,
            "no BPF program may look at the files of processes: drops of listening sockets, and resets of sockets that "
            "stay open, are counted by service"),
      check("counts-at-creation", features.counts_at_creation,
            "TW and TWKilled count at expiry (before 5.18): the cross-check uses the gauge")};
}

/// "... does not work here: fentry: REASON" -> "REASON"
std::string reason_of(const base::Error& error, const std::string& backend) {
  const std::string marker = ": " + backend + ": ";
  const auto at = error.what.find(marker);
  std::string reason = at == std::string::npos ? error.what : error.what.substr(at + marker.size());
  if (!error.hint.empty()) reason += "; " + error.hint;
  return reason;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "without: " : "; ") + part;
  return text;
}

model::DoctorCheck try_backend(const loader::Features& features, const SessionOptions& options,
                               loader::TracerOptions tracer_options, const MapPlan& plan, loader::Backend backend) {
  model::DoctorCheck check{loader::to_string(backend), false, "not tried: --probe asks for another one"};
  if (options.backend && *options.backend != backend) return check;
  tracer_options.backend = backend;
  const auto opened = open_tracer(features, tracer_options, plan);
  check.ok = opened.has_value();
  check.detail = opened ? joined(opened->tracer.missing_programs()) : reason_of(opened.error(), check.name);
  const auto add = [&check](const char* what) {
    check.detail += (check.detail.empty() ? "" : "; ") + std::string(what);
  };
  if (opened && !loader::sees_removal(backend)) {
    add("cannot see buckets end, so LIVE comes from scans, and EXPIRED and REUSED are unknown");
  }
  if (opened && !opened->tracer.sees_no_port_bind()) add("cannot see a bind() that finds no local port");
  return check;
}

/// Tries all of them; what stops every one is the obstacle.
void check_backends(const base::Result<loader::Features>& features, const SessionOptions& options,
                    const std::optional<kernel::MemoryRoom>& room, bool cgroup_v1, Diagnosis& diagnosis) {
  loader::TracerOptions tracer_options;
  tracer_options.btf_path = options.btf_path;
  tracer_options.sizes.ring_bytes = options.ring_bytes;
  tracer_options.cgroup_v1 = cgroup_v1;
  // Planned once: the kernel frees the maps of one backend later than the next one loads.
  const MapPlan plan = plan_maps_here(tracer_options.sizes, room).value_or(MapPlan{tracer_options.sizes, ""});
  if (!plan.notice.empty()) spdlog::warn("{}", plan.notice);
  model::DoctorReport& report = diagnosis.report;
  for (const loader::Backend backend : loader::kBackends) {
    if (!features) {
      report.backends.push_back({loader::to_string(backend), false, features.error().what});
      continue;
    }
    report.backends.push_back(try_backend(*features, options, tracer_options, plan, backend));
    if (report.backend.empty() && report.backends.back().ok) report.backend = report.backends.back().name;
  }
  if (!report.backend.empty()) return;
  if (!features) {
    diagnosis.obstacle = features.error();
    return;
  }
  base::Error error{base::ErrorCode::kUnsupported, 0, loader::none_works_words(options.backend),
                    options.backend ? kWithoutProbe : ""};
  std::string separator = ": ";
  for (const model::DoctorCheck& check : report.backends) {
    if (options.backend && check.name != loader::to_string(*options.backend)) continue;
    error.what += separator + check.name + ": " + check.detail;
    separator = "; ";
  }
  diagnosis.obstacle = std::move(error);
}

/// With the privileges that every backend needs missing, what the kernel said is only how it shows.
void name_missing_privileges(const loader::Features& features, std::optional<base::Error>& obstacle) {
  if (!obstacle) return;
  const auto permitted = explain_refusal(!features.memcg_charged);
  if (!permitted) obstacle = permitted.error();
}

void check_cgroups(const base::Result<kernel::CgroupFs>& cgroups, model::DoctorReport& report) {
  if (!cgroups || cgroups->tree() == nullptr) return;
  report.cgroup_hierarchy = cgroups->choose() == kernel::HierarchyChoice::kV2 ? "v2" : "v1 name=systemd";
  report.cgroup_mount = cgroups->tree()->mount_point().string();
}

std::optional<std::uint64_t> setting(std::string_view name) {
  const auto value = kernel::Sysctl("/proc/sys").read_u64(name);
  return value ? std::optional(*value) : std::nullopt;
}

model::DoctorNetns named(const kernel::NetnsRef& ref) {
  model::DoctorNetns netns;
  netns.netns = ref.inum;
  netns.name = ref.name;
  netns.host = ref.name == kernel::kHostName;  // the catalog gives this name to no other
  netns.pid = ref.pid;
  netns.path = ref.path;
  return netns;
}

/// By a process in it; the settings only of our own.
model::DoctorNetns look_at(const kernel::NetnsRef& ref, std::uint32_t own_inum) {
  model::DoctorNetns netns = named(ref);
  if (const auto counters = kernel::read_counters(kernel::Procfs(), ref)) {
    netns.limit = counters->limit;
    netns.in_use = counters->in_use;
    netns.overflow = counters->ext.time_wait_overflow;
  }
  if (ref.inum == own_inum) {
    static_cast<base::NetSettings&>(netns) = kernel::read_net_settings();
  }
  return netns;
}

model::DoctorNetns look_at(const tw_namespace_reading& reading, const kernel::NetnsRef* ref, std::uint64_t hertz) {
  model::DoctorNetns netns;
  if (ref != nullptr) netns = named(*ref);
  netns.netns = reading.inum;
  if (netns.host) netns.name.clear();  // /proc of a container may show another one as the host's
  netns.host = reading.initial != 0;
  if (netns.host) netns.name = kernel::kHostName;
  const model::NetnsSettings settings = to_settings(reading, hertz);
  static_cast<base::NetSettings&>(netns) = static_cast<const base::NetSettings&>(settings);
  netns.in_use = reading.count;
  netns.overflow = reading.counters.time_wait_overflow;
  return netns;
}

base::Result<loader::Readers> open_readers(const base::Result<loader::Features>& features,
                                           const SessionOptions& options) {
  if (!features) return tl::unexpected(features.error());
  loader::ReaderOptions reader_options;
  reader_options.btf_path = options.btf_path;
  return loader::Readers::open(*features, reader_options);
}

model::DoctorCheck check_readers(const base::Result<loader::Readers>& readers) {
  model::DoctorCheck check{"readers", readers.has_value(), ""};
  if (!readers) {
    check.detail = readers.error().what + ": counters come from /proc, settings of other namespaces stay unknown";
  }
  return check;
}

/// All of them where the reader programs run, else those that /proc leads to.
std::vector<model::DoctorNetns> look_at_namespaces(base::Result<loader::Readers>& readers) {
  kernel::NetnsCatalog catalog;
  kernel::NetnsSearch search;
  search.open_files = true;
  catalog.refresh(search);
  const auto own = catalog.resolve("self");
  const std::uint32_t own_inum = own ? own->inum : 0;
  std::vector<model::DoctorNetns> namespaces;
  const auto pass = readers ? readers->namespaces().read(true, true) : tl::unexpected(readers.error());
  if (!pass) {
    for (const auto& [inum, ref] : catalog.all()) namespaces.push_back(look_at(ref, own_inum));
    return namespaces;
  }
  const std::uint64_t hertz = jiffies_per_second(*pass, own_inum);
  for (const tw_namespace_reading& reading : *pass) {
    if (reading.exiting == 0) namespaces.push_back(look_at(reading, catalog.find(reading.inum), hertz));
  }
  return namespaces;
}

}  // namespace

base::Result<Diagnosis> examine(const SessionOptions& options) {
  const auto room = prepare_resources();
  if (!room) return tl::unexpected(room.error());
  Diagnosis diagnosis;
  model::DoctorReport& report = diagnosis.report;
  const auto features = loader::probe_features(options.btf_path, options.no_features);
  if (!features && features.error().code != base::ErrorCode::kUnsupported) return tl::unexpected(features.error());
  const auto cgroups = kernel::CgroupFs::open(kernel::Procfs());

  report.host = host_info();
  if (features) report.btf = options.btf_path.empty() ? "/sys/kernel/btf/vmlinux" : options.btf_path;
  auto readers = open_readers(features, options);
  if (features) report.features = check_features(*features);
  if (features) report.features.push_back(check_readers(readers));
  check_backends(features, options, *room, cgroups && cgroups->choose() == kernel::HierarchyChoice::kV1Systemd,
                 diagnosis);
  const auto effective = kernel::effective_capabilities(kernel::Procfs()).value_or(kernel::CapabilitySet{});
  report.capabilities = check_capabilities(effective);
  if (features && !features->memcg_charged) report.capabilities.push_back(check_capability(kLocksMemory, effective));
  if (features) name_missing_privileges(*features, diagnosis.obstacle);
  if (const auto lockdown = kernel::read_lockdown()) report.lockdown = kernel::to_string(*lockdown);
  check_cgroups(cgroups, report);
  if (const auto statistics = setting(kernel::kBpfStatsEnabled)) report.bpf_stats_enabled = *statistics != 0;
  report.namespaces = look_at_namespaces(readers);
  model::sort_worst_first(report.namespaces);
  return diagnosis;
}

}  // namespace twtrace::trace
