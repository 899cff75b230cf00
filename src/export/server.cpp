// SPDX-License-Identifier: Apache-2.0
// libmicrohttpd reads requests and writes replies. Accepting, limits and time limits are ours, because its own limits
// refuse new clients in favour of slow ones, and its timeouts start again with every byte.
#include "export/server.hpp"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <array>
#include <cerrno>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"

namespace twtrace::exporter {
namespace {

constexpr int kMostAccepted = 64;  // in one run
constexpr int kMostRounds = 16;    // of libmicrohttpd in one run
constexpr std::size_t kRequestBytes = 16 * 1024;

struct StopDaemon {
  void operator()(MHD_Daemon* daemon) const { MHD_stop_daemon(daemon); }
};
struct DestroyResponse {
  void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};

std::string address_text(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text.data(), text.size());
  } else if (address.ss_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text.data(), text.size());
  }
  return text.data();
}

int descriptor_of(MHD_Connection* connection) {
  const MHD_ConnectionInfo* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info == nullptr ? -1 : info->connect_fd;
}

using Body = std::shared_ptr<const std::string>;

void release_body(void* body) { const std::unique_ptr<Body> owned(static_cast<Body*>(body)); }

MHD_Result send_reply(MHD_Connection* connection, const Reply& reply) {
  auto body = std::make_unique<Body>(reply.body);
  // The library does not change the buffer.
  auto* const bytes = const_cast<char*>((*body)->data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  const std::unique_ptr<MHD_Response, DestroyResponse> response(
      MHD_create_response_from_buffer_with_free_callback_cls((*body)->size(), bytes, release_body, body.get()));
  if (!response) return MHD_NO;
  static_cast<void>(body.release());
  MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CONTENT_TYPE, reply.content_type.c_str());
  MHD_add_response_header(response.get(), "X-Content-Type-Options", "nosniff");
  if (!reply.allow.empty()) {
    MHD_add_response_header(response.get(), MHD_HTTP_HEADER_ALLOW, std::string(reply.allow).c_str());
  }
  return MHD_queue_response(connection, reply.status, response.get());
}

class HttpServer final : public Server {
 public:
  HttpServer(std::vector<Listener> listeners, Site site, const ConnectionLimits& limits)
      : listeners_(std::move(listeners)), site_(std::move(site)), connections_(limits) {}

  base::Result<void> start() {
    constexpr unsigned kFlags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET;
    daemon_.reset(MHD_start_daemon(kFlags, 0, nullptr, nullptr, on_request, this, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                   kRequestBytes, MHD_OPTION_NOTIFY_CONNECTION, on_connection, this,
                                   MHD_OPTION_NOTIFY_COMPLETED, on_completed, this, MHD_OPTION_END));
    if (!daemon_) return base::fail(base::ErrorCode::kFailure, "cannot start the HTTP server", "see twtrace -v");
    timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    watched_.reset(::epoll_create1(EPOLL_CLOEXEC));
    const int saved_errno = errno;
    if (!timer_ || !watched_) return base::fail_errno(saved_errno, "cannot wait for HTTP requests");
    const MHD_DaemonInfo* info = MHD_get_daemon_info(daemon_.get(), MHD_DAEMON_INFO_EPOLL_FD);
    if (auto added = watch(timer_.get()); !added) return added;
    if (auto added = watch(info->epoll_fd); !added) return added;
    for (const Listener& listener : listeners_) {
      if (auto added = watch(listener.socket.get()); !added) return added;
    }
    return {};
  }

  int fd() const override { return watched_.get(); }

  void run() override {
    for (const Listener& listener : listeners_) accept_from(listener.socket.get());
    for (const int overdue : connections_.take_overdue(clock_.monotonic_ns())) give_up(overdue);
    bool has_work = true;
    for (int round = 0; round < kMostRounds && has_work; ++round) {
      MHD_run(daemon_.get());
      MHD_UNSIGNED_LONG_LONG timeout_ms = 0;
      has_work = MHD_get_timeout(daemon_.get(), &timeout_ms) == MHD_YES && timeout_ms == 0;
    }
    set_timer(has_work);
  }

 private:
  base::Result<void> watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    const int result = ::epoll_ctl(watched_.get(), EPOLL_CTL_ADD, fd, &event);
    const int saved_errno = errno;
    if (result != 0) return base::fail_errno(saved_errno, "cannot wait for HTTP requests");
    return {};
  }

  /// Wakes the owner at once if there is more to do, else when the next connection is overdue.
  void set_timer(bool at_once) {
    constexpr std::uint64_t kSecondNs = 1'000'000'000;
    const std::uint64_t when_ns = at_once ? 1 : connections_.next_deadline_ns().value_or(0);  // 0: never
    itimerspec spec{};
    spec.it_value.tv_sec = static_cast<time_t>(when_ns / kSecondNs);
    spec.it_value.tv_nsec = static_cast<long>(when_ns % kSecondNs);
    ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &spec, nullptr);
  }

  void accept_from(int listener) {
    for (int accepted = 0; accepted < kMostAccepted; ++accepted) {
      sockaddr_storage address{};
      socklen_t size = sizeof(address);
      auto* const any = reinterpret_cast<sockaddr*>(&address);
      const int fd = ::accept4(listener, any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      const int saved_errno = errno;
      if (fd < 0 && (saved_errno == ECONNABORTED || saved_errno == EINTR)) continue;
      if (fd < 0) return;
      const int surplus = connections_.add(fd, address_text(address), clock_.monotonic_ns());
      if (MHD_add_connection(daemon_.get(), fd, any, size) != MHD_YES) connections_.remove(fd);
      if (surplus < 0) continue;
      give_up(surplus);
      MHD_run(daemon_.get());  // closes it: else a burst of clients has more descriptors than there are places
    }
  }

  /// libmicrohttpd owns the socket, and closes it when it finds its end.
  static void give_up(int fd) { ::shutdown(fd, SHUT_RDWR); }

  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* path, const char* method,
                               const char* /*version*/, const char* /*upload*/, std::size_t* upload_size,
                               void** state) {
    auto& server = *static_cast<HttpServer*>(self);
    const bool is_first = *state == nullptr;
    *state = self;
    // The first call comes after the headers. Only a refusal may be sent before the body.
    if (is_first && is_known_method(method)) return MHD_YES;
    if (!is_first && *upload_size != 0) {
      *upload_size = 0;
      return MHD_YES;
    }
    const char* accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
    server.connections_.begin_reply(descriptor_of(connection), server.clock_.monotonic_ns());
    return send_reply(connection, server.site_.answer({method, path, accept == nullptr ? "" : accept}));
  }

  static void on_completed(void* self, MHD_Connection* connection, void** /*state*/, MHD_RequestTerminationCode code) {
    auto& server = *static_cast<HttpServer*>(self);
    if (code != MHD_REQUEST_TERMINATED_COMPLETED_OK) return;
    server.connections_.end_reply(descriptor_of(connection), server.clock_.monotonic_ns());
  }

  static void on_connection(void* self, MHD_Connection* connection, void** /*context*/,
                            MHD_ConnectionNotificationCode code) {
    if (code != MHD_CONNECTION_NOTIFY_CLOSED) return;
    static_cast<HttpServer*>(self)->connections_.remove(descriptor_of(connection));
  }

  base::SystemClock clock_;
  std::vector<Listener> listeners_;
  Site site_;
  Connections connections_;
  base::UniqueFd timer_;
  base::UniqueFd watched_;
  std::unique_ptr<MHD_Daemon, StopDaemon> daemon_;  ///< ends first: it calls back
};

}  // namespace

base::Result<std::unique_ptr<Server>> Server::create(std::vector<Listener> listeners, Site site,
                                                     const ConnectionLimits& limits) {
  auto server = std::make_unique<HttpServer>(std::move(listeners), std::move(site), limits);
  if (auto started = server->start(); !started) return tl::unexpected(started.error());
  return server;
}

}  // namespace twtrace::exporter
