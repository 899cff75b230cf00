// SPDX-License-Identifier: Apache-2.0
#include "loader/backend.hpp"

#include <algorithm>

namespace twtrace::loader {
namespace {

constexpr const char* kNeedsBtf = "needs the running kernel's own BTF";
constexpr const char* kForbidden = "needs bpf_probe_read_kernel, which this kernel forbids (lockdown=confidentiality)";

bool is_kprobe(std::string_view name) { return name.starts_with("on_kprobe_") || name.starts_with("on_kretprobe_"); }

/// Why the tracepoint cannot count here; empty if it may.
std::optional<std::string> why_no_tracepoint(const Features& features) {
  if (!features.tracepoint) return "switched off";
  if (!features.kernel_btf) return kNeedsBtf;
  if (!features.probe_read) return kForbidden;
  if (features.mib_overflow == 0) return "the kernel's BTF does not name LINUX_MIB_TCPTIMEWAITOVERFLOW";
  return std::nullopt;
}

/// The kprobes whose work the tracepoint does not do: those of buckets that exist already, and of resets.
bool is_kprobe_beside_tracepoint(std::string_view name) {
  constexpr std::array<std::string_view, 5> kOfSockets = {"on_kprobe_send_fin", "on_kprobe_twsk_alloc",
                                                          "on_kretprobe_twsk_alloc", "on_kprobe_destroy_sock",
                                                          "on_kprobe_disconnect"};
  return is_kprobe(name) && std::find(kOfSockets.begin(), kOfSockets.end(), name) == kOfSockets.end();
}

}  // namespace

const char* to_string(Backend backend) {
  switch (backend) {
    case Backend::kFentry:
      return "fentry";
    case Backend::kKprobe:
      return "kprobe";
    case Backend::kTracepoint:
      return "tracepoint";
  }
  return "unknown";
}

const char* none_works_words(std::optional<Backend> only) {
  return only ? "the backend that was asked for does not work here" : "no backend works here";
}

bool resets_by_function(Backend backend, const Features& features) {
  return backend != Backend::kTracepoint && features.probe_read && features.send_reset && !features.reset_reason;
}

bool uses_program(Backend backend, std::string_view name, const Features& features) {
  if (!name.starts_with("on_")) return true;  // iterators and helpers of the loader
  if (name == "on_process_exit") return true;
  if (name == "on_reset_sent") return features.probe_read;
  if (name.find("_send_reset") != std::string_view::npos && !resets_by_function(backend, features)) return false;
  switch (backend) {
    case Backend::kFentry:
      return name.starts_with("on_fentry_") || name.starts_with("on_fexit_") || name.starts_with("on_typed_");
    case Backend::kKprobe:
      if (why_no_tracepoint(features)) return is_kprobe(name) || name.starts_with("on_raw_");
      return name.starts_with("on_tracepoint_") || name.starts_with("on_typed_") || is_kprobe_beside_tracepoint(name);
    case Backend::kTracepoint:
      return name.starts_with("on_tracepoint_") || name.starts_with("on_typed_");
  }
  return false;
}

bool sees_refusal(Backend backend) { return backend == Backend::kFentry; }

bool sees_removal(Backend backend) { return backend != Backend::kTracepoint; }

std::optional<std::string> ruled_out(Backend backend, const Features& features) {
  switch (backend) {
    case Backend::kFentry:
      if (!features.fentry) return "switched off";
      if (!features.kernel_btf) return kNeedsBtf;
      if (!features.probe_read && !features.task_btf) return std::string(kForbidden) + " before Linux 5.11";
      return std::nullopt;
    case Backend::kKprobe:
      if (!features.kprobe) return "switched off";
      if (!features.probe_read) return kForbidden;
      return std::nullopt;
    case Backend::kTracepoint:
      if (auto reason = why_no_tracepoint(features)) return reason;
      if (!features.readers) return "needs the BPF reader programs, which are switched off";
      return std::nullopt;
  }
  return "unknown";
}

}  // namespace twtrace::loader
