// SPDX-License-Identifier: Apache-2.0
#include "loader/iterator.hpp"

#include <bpf/bpf.h>
#include <unistd.h>

#include <cerrno>

namespace twtrace::loader {

base::Result<base::UniqueFd> start_iterator(const LinkPtr& link) {
  base::UniqueFd fd(bpf_iter_create(bpf_link__fd(link.get())));
  const int saved_errno = errno;
  if (!fd) return base::fail_errno(saved_errno, "cannot start a BPF iterator");
  return fd;
}

/// The kernel answers EAGAIN after a million objects that the iterator wrote nothing about.
base::Result<std::size_t> read_iterator(const base::UniqueFd& fd, std::span<std::byte> buffer) {
  while (true) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    const int saved_errno = errno;
    if (got >= 0) return static_cast<std::size_t>(got);
    if (saved_errno != EAGAIN && saved_errno != EINTR) {
      return base::fail_errno(saved_errno, "cannot read a BPF iterator");
    }
  }
}

}  // namespace twtrace::loader
