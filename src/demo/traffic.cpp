// SPDX-License-Identifier: Apache-2.0
#include "demo/traffic.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <memory>
#include <string_view>

#include "base/clock.hpp"
#include "base/unique_fd.hpp"

namespace twtrace::demo {
namespace {

constexpr timespec kTick{0, 10'000'000};
constexpr std::uint64_t kMostPerTick = 50;
constexpr timeval kPatience{1, 0};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

base::UniqueFd open_socket() { return base::UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

void send_all(int fd, std::string_view text) { (void)!::send(fd, text.data(), text.size(), MSG_NOSIGNAL); }

/// Reads `length` bytes, or to the end of the stream when `length` is 0. Gives up on a peer that stalls. Unread data
/// would turn the close into a reset.
bool receive(int fd, std::size_t length) {
  std::array<char, 256> buffer{};
  std::size_t received = 0;
  while (length == 0 || received < length) {
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (got <= 0) return got == 0 && length == 0;
    received += static_cast<std::size_t>(got);
  }
  return true;
}

void serve_one(int listener, const Exchange& exchange) {
  const base::UniqueFd fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (!fd) return;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
  if (!receive(fd.get(), exchange.request.size())) return;
  send_all(fd.get(), exchange.answer);
  if (exchange.closer == Closer::kClient) receive(fd.get(), 0);
}

void connect_once(const Exchange& exchange) {
  const base::UniqueFd fd = open_socket();
  const sockaddr_in address = loopback(exchange.port);
  if (!fd) return;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof(kPatience));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) return;
  send_all(fd.get(), exchange.request);
  receive(fd.get(), exchange.answer.size());
  if (exchange.closer == Closer::kServer) receive(fd.get(), 0);
}

[[noreturn]] void connect_for_ever(const Exchange& exchange, const Pace& pace) {
  const base::SystemClock clock;
  const std::uint64_t start_ns = clock.monotonic_ns();
  std::uint64_t done = 0;
  while (true) {
    const std::uint64_t wanted = due(pace, static_cast<double>(clock.monotonic_ns() - start_ns) / 1e9);
    for (std::uint64_t left = std::min(wanted - done, kMostPerTick); left > 0; --left) connect_once(exchange);
    done = wanted;
    ::nanosleep(&kTick, nullptr);
  }
}

}  // namespace

base::Result<Work> make_server(const Exchange& exchange) {
  auto listener = std::make_shared<base::UniqueFd>(open_socket());
  const sockaddr_in address = loopback(exchange.port);
  const bool listening = *listener &&
                         ::bind(listener->get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
                         ::listen(listener->get(), SOMAXCONN) == 0;
  const int saved_errno = errno;
  if (!listening) return base::fail_errno(saved_errno, "cannot listen on port " + std::to_string(exchange.port));
  return Work([listener, exchange] {
    while (true) serve_one(listener->get(), exchange);
  });
}

base::Result<Work> make_client(const Exchange& exchange, const Pace& pace) {
  return Work([exchange, pace] { connect_for_ever(exchange, pace); });
}

}  // namespace twtrace::demo
