// SPDX-License-Identifier: Apache-2.0
// Whether this process may trace at all.
#pragma once

#include "base/result.hpp"

namespace twtrace::trace {

/// kPermission, naming what is missing and the command that grants it, when the kernel would refuse every BPF program
/// of ours: its own answer is a bare EPERM. `raises_memlock`: the memory of the maps counts against RLIMIT_MEMLOCK and
/// does not fit, see Features::memcg_charged.
base::Result<void> check_privileges(bool raises_memlock);

}  // namespace twtrace::trace
