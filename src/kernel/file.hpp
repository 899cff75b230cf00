// SPDX-License-Identifier: Apache-2.0
// Reads the kernel's small files and links.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace twtrace::kernel {

/// The whole content. Reads to the end instead of trusting st_size, which is 0 in proc and sysfs. If a process ends
/// while its file is read (ESRCH), the result is kNotFound, as for a process that never existed. More than 64 MiB is
/// kInvalid.
base::Result<std::string> read_file(const std::filesystem::path& path);

/// The same for a file from an untrusted source. Reads at most `max_bytes`. Anything but a regular file (such as a FIFO
/// without a writer, or a device that notices being opened) is kInvalid, and is not opened.
base::Result<std::string> read_regular_file(const std::filesystem::path& path, std::size_t max_bytes);

/// The target of a symbolic link, or of a magic link in /proc. Same errors as read_file.
base::Result<std::string> read_link(const std::filesystem::path& path);

/// fail_errno for paths: ESRCH (proc of a process that has ended) and ENOTDIR are kNotFound too.
tl::unexpected<base::Error> fail_path(int saved_errno, const std::filesystem::path& path);

}  // namespace twtrace::kernel
