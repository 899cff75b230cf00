// SPDX-License-Identifier: Apache-2.0
// What it means when the kernel refuses a BPF object.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "loader/libbpf_log.hpp"

namespace twtrace::loader {

/// `error` is the errno of a load or an attach. A refused privilege comes with an empty verifier log and a complaint of
/// libbpf about something else, so only other failures quote what was logged.
base::Error load_error(int error, const LibbpfLog& log, std::string_view what);

}  // namespace twtrace::loader
