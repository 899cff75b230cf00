// SPDX-License-Identifier: Apache-2.0
// The kernel's lockdown mode (kernel_lockdown(7)).
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.hpp"

namespace twtrace::kernel {

/// `kConfidentiality` forbids bpf_probe_read_kernel and kprobes; programs with direct BTF loads still run.
enum class Lockdown { kNone, kIntegrity, kConfidentiality };

/// Parses "none [integrity] confidentiality", and returns the mode in brackets. kInvalid if there is none, or an
/// unknown one.
base::Result<Lockdown> parse_lockdown(std::string_view text);

/// The present mode; kNone for a kernel without lockdown. kNotFound if securityfs is not mounted, because then the mode
/// is unknown.
base::Result<Lockdown> read_lockdown(const std::filesystem::path& securityfs = "/sys/kernel/security");

/// "none", "integrity", "confidentiality".
const char* to_string(Lockdown lockdown);

}  // namespace twtrace::kernel
