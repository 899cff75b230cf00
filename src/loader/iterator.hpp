// SPDX-License-Identifier: Apache-2.0
// Running a BPF iterator that is attached.
#pragma once

#include <cstddef>
#include <span>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "loader/libbpf_ptr.hpp"

namespace twtrace::loader {

/// Starts the iterator from the beginning.
base::Result<base::UniqueFd> start_iterator(const LinkPtr& link);

/// What the iterator wrote next; 0 bytes at its end. It comes back as soon as it has written as much as fits (kernel
/// bpf_seq_read).
base::Result<std::size_t> read_iterator(const base::UniqueFd& fd, std::span<std::byte> buffer);

}  // namespace twtrace::loader
