// SPDX-License-Identifier: Apache-2.0
#include "export/listeners.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <span>

namespace twtrace::exporter {
namespace {

// At most net.core.somaxconn. A client that finds the queue full waits a second before it tries again.
constexpr int kBacklog = 4096;
constexpr int kFirstPassed = 3;  // SD_LISTEN_FDS_START
constexpr int kMostPassed = 64;

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

std::string address_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (::getsockname(socket, any, &size) != 0 || ::getnameinfo(any, size, host.data(), host.size(), port.data(),
                                                              port.size(), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "an unknown address";
  }
  const char* const pattern = address.ss_family == AF_INET6 ? "[{}]:{}" : "{}:{}";
  return fmt::format(fmt::runtime(pattern), host.data(), port.data());
}

base::Result<Addresses> look_up(const ListenAddress& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  const int error = ::getaddrinfo(address.host.empty() ? nullptr : address.host.c_str(), port.c_str(), &hints, &found);
  if (error == 0) return Addresses(found);
  return base::fail(base::ErrorCode::kUsage,
                    fmt::format("cannot listen on {}: {}", to_string(address), ::gai_strerror(error)),
                    "give an address of this host");
}

/// 0 or errno.
int bind_and_listen(int socket, const addrinfo& address) {
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  // So that 0.0.0.0 and [::] can both be given.
  if (address.ai_family == AF_INET6) ::setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  if (::bind(socket, address.ai_addr, address.ai_addrlen) != 0) return errno;
  return ::listen(socket, kBacklog) == 0 ? 0 : errno;
}

/// A host without IPv6 may still have names with IPv6 addresses.
bool is_unavailable(int error) { return error == EAFNOSUPPORT || error == EADDRNOTAVAIL; }

/// Why an address is taken. `before`: those that twtrace listens on already.
std::string who_took(const ListenAddress& address, std::span<const ListenAddress> before) {
  const auto own = std::find_if(before.begin(), before.end(),
                                [&address](const ListenAddress& one) { return one.port == address.port; });
  if (own == before.end()) return "another program listens there: choose another --web.listen-address";
  if (own->host == address.host) return "it is given twice: give each --web.listen-address once";
  return fmt::format("--web.listen-address {} may include it: leave one of them out", to_string(*own));
}

base::Result<void> listen_on(const ListenAddress& address, std::span<const ListenAddress> before,
                             std::vector<Listener>& listeners) {
  const auto found = look_up(address);
  if (!found) return tl::unexpected(found.error());
  int failed = 0;
  const std::size_t listening = listeners.size();
  for (const addrinfo* one = found->get(); one != nullptr; one = one->ai_next) {
    base::UniqueFd socket(::socket(one->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int error = socket ? bind_and_listen(socket.get(), *one) : errno;
    if (error == 0) {
      std::string name = address_of(socket.get());
      listeners.push_back({std::move(socket), std::move(name)});
    } else if (failed == 0 || !is_unavailable(error)) {
      failed = error;
    }
  }
  const bool some = listeners.size() > listening;
  if (failed == 0 || (some && is_unavailable(failed))) return {};
  const std::string hint = failed == EADDRINUSE ? who_took(address, before) : "choose another --web.listen-address";
  return base::fail_errno(failed, fmt::format("cannot listen on {}", to_string(address)), hint);
}

std::optional<int> number_in(const char* variable) {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  int number = 0;
  const char* const end = text + std::strlen(text);
  const auto [stopped, error] = std::from_chars(text, end, number);
  return error == std::errc() && stopped == end ? std::optional(number) : std::nullopt;
}

bool is_listening_tcp(int socket) {
  const auto option = [socket](int name) {
    int value = 0;
    socklen_t size = sizeof(value);
    return ::getsockopt(socket, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
  };
  return option(SO_ACCEPTCONN) == 1 && option(SO_PROTOCOL) == IPPROTO_TCP;
}

}  // namespace

base::Result<std::vector<Listener>> listen_on(const std::vector<ListenAddress>& addresses) {
  std::vector<Listener> listeners;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const auto before = std::span(addresses).first(i);
    if (auto listens = listen_on(addresses[i], before, listeners); !listens) return tl::unexpected(listens.error());
  }
  return listeners;
}

base::Result<std::vector<Listener>> take_systemd_sockets() {
  constexpr const char* kHint = "start it by a socket unit of systemd, or use --web.listen-address";
  const int count = number_in("LISTEN_PID") == ::getpid() ? number_in("LISTEN_FDS").value_or(0) : 0;
  if (count < 1 || count > kMostPassed) {
    return base::fail(base::ErrorCode::kUsage, "--web.systemd-socket: systemd passed no socket", kHint);
  }
  std::vector<Listener> listeners;
  for (int fd = kFirstPassed; fd < kFirstPassed + count; ++fd) {
    if (!is_listening_tcp(fd)) {
      return base::fail(base::ErrorCode::kUsage,
                        fmt::format("--web.systemd-socket: descriptor {} is no listening TCP socket", fd), kHint);
    }
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    listeners.push_back({base::UniqueFd(fd), address_of(fd)});
  }
  return listeners;
}

}  // namespace twtrace::exporter
