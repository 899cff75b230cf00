// SPDX-License-Identifier: Apache-2.0
// Explains why the kernel refused a BPF object.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "loader/libbpf_log.hpp"

namespace twtrace::loader {

/// `error` is the errno of a load or an attach. If a privilege is missing, the verifier log is empty and libbpf
/// complains about something else. So only other failures quote the log.
base::Error load_error(int error, const LibbpfLog& log, std::string_view what);

}  // namespace twtrace::loader
