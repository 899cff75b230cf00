// SPDX-License-Identifier: Apache-2.0
// Whether this process may trace at all.
#pragma once

#include "base/result.hpp"

namespace twtrace::app {

/// kPermission, naming what is missing and the command that grants it, when the kernel would refuse every BPF program
/// of ours. Asked before loading, because the kernel's own answer is a bare EPERM.
base::Result<void> check_privileges();

}  // namespace twtrace::app
