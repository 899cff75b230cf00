// SPDX-License-Identifier: Apache-2.0
// Reading the kernel's small files and links.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace twtrace::kernel {

/// The whole content. Reads to the end instead of trusting st_size, which is 0 in proc and sysfs. A process that ends
/// while its file is read (ESRCH) is kNotFound, like one that was never there; more than 64 MiB is kInvalid.
base::Result<std::string> read_file(const std::filesystem::path& path);

/// The same of a regular file that somebody else may have put there: no more than `max_bytes`, and anything but a file
/// (a FIFO that nobody writes to, a device that notices being opened) is kInvalid without being opened.
base::Result<std::string> read_regular_file(const std::filesystem::path& path, std::size_t max_bytes);

/// Where a symbolic link, or one of proc's magic links, points to. Same errors as read_file.
base::Result<std::string> read_link(const std::filesystem::path& path);

/// fail_errno for paths: ESRCH (proc of a process that has ended) and ENOTDIR are kNotFound too.
tl::unexpected<base::Error> fail_path(int saved_errno, const std::filesystem::path& path);

}  // namespace twtrace::kernel
