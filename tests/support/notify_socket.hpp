// SPDX-License-Identifier: Apache-2.0
// A socket in the place of systemd's, see sd_notify(3).
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <string>

#include "base/unique_fd.hpp"
#include "support/catch.hpp"

namespace twtrace::test {

/// Takes the datagrams that are sent to a path, or to a name that begins with @, as systemd does.
struct NotifySocket {
  explicit NotifySocket(const std::string& name)
      : socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name.front() == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  }

  /// The next one; empty if there is none.
  std::string next() const {
    std::array<char, 8192> bytes{};
    const ssize_t count = ::read(socket.get(), bytes.data(), bytes.size());
    return count < 0 ? "" : std::string(bytes.data(), static_cast<std::size_t>(count));
  }

  base::UniqueFd socket;
};

}  // namespace twtrace::test
