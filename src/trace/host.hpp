// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/snapshot.hpp"

namespace twtrace::trace {

/// This machine's name and kernel release (uname(2)).
model::HostInfo host_info();

}  // namespace twtrace::trace
