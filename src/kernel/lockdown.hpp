// SPDX-License-Identifier: Apache-2.0
// The kernel's lockdown mode (kernel_lockdown(7)).
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.hpp"

namespace twtrace::kernel {

/// `kConfidentiality` forbids bpf_probe_read_kernel and kprobes; programs with direct BTF loads still run.
enum class Lockdown { kNone, kIntegrity, kConfidentiality };

/// Parses "none [integrity] confidentiality": the mode in brackets. kInvalid when there is none, or an unknown one.
base::Result<Lockdown> parse_lockdown(std::string_view text);

/// The running mode; kNone for a kernel without lockdown. kNotFound when securityfs is not mounted: then nobody knows.
base::Result<Lockdown> read_lockdown(const std::filesystem::path& securityfs = "/sys/kernel/security");

/// "none", "integrity", "confidentiality".
const char* to_string(Lockdown lockdown);

}  // namespace twtrace::kernel
