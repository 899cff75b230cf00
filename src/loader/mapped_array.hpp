// SPDX-License-Identifier: Apache-2.0
// A memory-mapped BPF array map. Reading it costs no system call.
#pragma once

#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "base/result.hpp"

namespace twtrace::loader {

/// Owns the mapping of a BPF_F_MMAPABLE array of `count` values of type T. The kernel side writes concurrently: 64-bit
/// loads are atomic, a value as a whole is not. Move-only.
template <class T>
class MappedArray {
 public:
  MappedArray() = default;

  static base::Result<MappedArray> map(int map_fd, std::size_t count, const std::string& name) {
    static_assert(sizeof(T) % 8 == 0, "the kernel rounds values up to 8 bytes");
    void* address = ::mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
    const int saved_errno = errno;
    if (address == MAP_FAILED) return base::fail_errno(saved_errno, "cannot map BPF array " + name);
    MappedArray array;
    array.values_ = std::span<T>(static_cast<T*>(address), count);
    return array;
  }

  MappedArray(MappedArray&& other) noexcept : values_(std::exchange(other.values_, {})) {}
  MappedArray& operator=(MappedArray&& other) noexcept {
    std::swap(values_, other.values_);
    return *this;
  }
  MappedArray(const MappedArray&) = delete;
  MappedArray& operator=(const MappedArray&) = delete;
  ~MappedArray() {
    if (!values_.empty()) ::munmap(values_.data(), values_.size_bytes());
  }

  std::span<T> values() const { return values_; }

 private:
  std::span<T> values_;
};

}  // namespace twtrace::loader
