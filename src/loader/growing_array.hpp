// SPDX-License-Identifier: Apache-2.0
// A memory-mapped BPF array map of which only a part is in use.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <new>
#include <span>
#include <string>
#include <utility>

#include "base/result.hpp"

namespace twtrace::loader {

/// Owns the mapping of a BPF_F_MMAPABLE array of values of type T, which are used from the first one on. Like a
/// MappedArray, but it maps only as much as was asked for: the kernel puts all pages of a mapping into the page tables
/// at once (remap_vmalloc_range), where they count as resident memory of this process. Addresses of values stay the
/// same when more is mapped. Move-only. Not thread-safe.
template <class T>
class GrowingArray {
 public:
  GrowingArray() = default;

  /// Maps the first values. `map_fd` has to stay open. `count`: the entries of the map.
  static base::Result<GrowingArray> reserve(int map_fd, std::size_t count, const std::string& name) {
    static_assert(sizeof(T) % 8 == 0, "the kernel rounds values up to 8 bytes");
    GrowingArray array;
    array.map_fd_ = map_fd;
    array.count_ = count;
    void* address = ::mmap(nullptr, array.bytes(count), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    const int saved_errno = errno;
    if (address == MAP_FAILED) return base::fail_errno(saved_errno, "cannot map BPF array " + name);
    array.begin_ = static_cast<std::byte*>(address);
    if (auto mapped = array.grow(1); !mapped) return base::prepend(mapped.error(), "cannot map BPF array " + name);
    return array;
  }

  GrowingArray(GrowingArray&& other) noexcept { swap(other); }
  GrowingArray& operator=(GrowingArray&& other) noexcept {
    swap(other);
    return *this;
  }
  GrowingArray(const GrowingArray&) = delete;
  GrowingArray& operator=(const GrowingArray&) = delete;
  ~GrowingArray() {
    if (begin_ != nullptr) ::munmap(begin_, bytes(count_));
  }

  std::size_t size() const { return count_; }

  /// The first `count` values, at most size(). Throws std::bad_alloc if they cannot be mapped, as a vector does.
  std::span<T> first(std::size_t count) {
    if (count * sizeof(T) > mapped_ && !grow(count)) throw std::bad_alloc();
    return {reinterpret_cast<T*>(begin_), count};
  }
  T& at(std::size_t index) { return first(index + 1)[index]; }

 private:
  static std::size_t bytes(std::size_t count) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return (count * sizeof(T) + page - 1) / page * page;
  }

  /// Twice as much as before, or more, so that there are few mappings.
  base::Result<void> grow(std::size_t count) {
    constexpr std::size_t kFirstBytes = 256U << 10U;
    const std::size_t wanted = std::min(std::max({bytes(count), 2 * mapped_, kFirstBytes}), bytes(count_));
    const void* mapped = ::mmap(begin_ + mapped_, wanted - mapped_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                                map_fd_, static_cast<off_t>(mapped_));
    const int saved_errno = errno;
    if (mapped == MAP_FAILED) return base::fail_errno(saved_errno, "mmap");
    mapped_ = wanted;
    return {};
  }

  void swap(GrowingArray& other) noexcept {
    std::swap(map_fd_, other.map_fd_);
    std::swap(count_, other.count_);
    std::swap(begin_, other.begin_);
    std::swap(mapped_, other.mapped_);
  }

  int map_fd_ = -1;
  std::size_t count_ = 0;
  std::byte* begin_ = nullptr;  ///< of addresses for all values
  std::size_t mapped_ = 0;      ///< bytes that can be used
};

}  // namespace twtrace::loader
