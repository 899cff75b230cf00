// SPDX-License-Identifier: Apache-2.0
// The ports that connect() may choose from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "kernel/sysctl.hpp"

namespace twtrace::kernel {

/// ip_local_port_range without ip_local_reserved_ports.
class EphemeralPorts {
 public:
  EphemeralPorts(std::uint64_t first, std::uint64_t last, std::string_view reserved);
  /// As the calling thread's namespace has them now.
  static base::Result<EphemeralPorts> read(const Sysctl& sysctl = Sysctl());

  bool contains(std::uint16_t port) const { return usable_[port]; }
  std::size_t size() const { return size_; }

 private:
  std::vector<bool> usable_;
  std::size_t size_ = 0;
};

}  // namespace twtrace::kernel
