// SPDX-License-Identifier: Apache-2.0
// The backends, in the order in which they are tried.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "loader/features.hpp"

namespace twtrace::loader {

/// How the kernel calls the programs.
enum class Backend { kFentry, kKprobe, kTracepoint };

/// Best first.
inline constexpr std::array kBackends = {Backend::kFentry, Backend::kKprobe, Backend::kTracepoint};

/// "fentry", "kprobe", "tracepoint".
const char* to_string(Backend backend);

/// Says that none of the backends works that were to be tried: `only` this one, or all of them.
const char* none_works_words(std::optional<Backend> only);

/// True if the BPF program `name` belongs to the backend on a kernel with these features, or to all backends
/// (iterators). Where the tracepoint can be attached, the kprobe backend counts by it: the kernel may skip a kprobe,
/// but what the tracepoint skips, the second program or the kernel's own counter tells. The kprobes say why buckets go.
bool uses_program(Backend backend, std::string_view name, const Features& features);

/// True if the functions that answer a segment with a reset have programs of their own, because the tracepoint
/// tcp:tcp_send_reset does not show all of them (Features::reset_reason).
bool resets_by_function(Backend backend, const Features& features);

/// True if the backend sees the kernel refuse a bucket. The others compare the kernel's counters.
bool sees_refusal(Backend backend);

/// True if the backend reports the end of buckets.
bool sees_removal(Backend backend);

/// Why this backend cannot work here; empty if it may work.
std::optional<std::string> ruled_out(Backend backend, const Features& features);

}  // namespace twtrace::loader
