// SPDX-License-Identifier: Apache-2.0
// Whether this process may trace at all.
#pragma once

#include "base/result.hpp"

namespace twtrace::trace {

/// kPermission, naming what is missing and the command that grants it, when the kernel would refuse every BPF program
/// of ours: its own answer is a bare EPERM. `raises_memlock`: the memory of the maps counts against RLIMIT_MEMLOCK and
/// does not fit, see Features::memcg_charged.
base::Result<void> check_privileges(bool raises_memlock);
/// The same after the kernel has refused, with what only that shows: the capabilities are there, and count only in this
/// user namespace. Before, one cannot tell, because a BPF token may stand in for them.
base::Result<void> explain_refusal(bool raises_memlock);

}  // namespace twtrace::trace
