// SPDX-License-Identifier: Apache-2.0
// The server with real clients, in one thread. A client writes, then the server runs and answers.
#include "export/server.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <vector>

#include "support/catch.hpp"

using namespace twtrace;
using exporter::ConnectionLimits;
using exporter::Server;

namespace {

/// A server on a port of its own. Its readers give up after ten seconds without anything to do.
struct Running {
  explicit Running(const ConnectionLimits& limits = {}, std::size_t size = 20, std::function<void()> on_reply = {}) {
    auto listeners = exporter::listen_on({{"127.0.0.1", 0}});
    REQUIRE(listeners);
    port = exporter::parse_listen_address(listeners->front().address)->port;
    exporter::Site site;
    site.metrics = [text = std::make_shared<const std::string>(size, 'm'), on_reply](output::MetricFormat) {
      if (on_reply) on_reply();
      return text;
    };
    auto created = Server::create(std::move(*listeners), std::move(site), limits);
    REQUIRE(created);
    server = std::move(*created);
  }

  base::UniqueFd connect() const {
    base::UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    return client;
  }

  /// Reads until `ends(text)` is true or the server closes the connection. Returns the text.
  template <class Ends>
  std::string read_until(const base::UniqueFd& client, Ends ends) const {
    std::string text;
    for (int waits = 0; waits < 100 && !ends(text);) {
      pollfd watched[2] = {{client.get(), POLLIN, 0}, {server->fd(), POLLIN, 0}};
      if (::poll(watched, 2, 100) == 0) ++waits;
      if (watched[1].revents != 0) server->run();
      if (watched[0].revents == 0) continue;
      char bytes[4096];
      const ssize_t got = ::recv(client.get(), bytes, sizeof(bytes), 0);
      if (got <= 0) return text + "<closed>";
      text.append(bytes, static_cast<std::size_t>(got));
    }
    return text;
  }
  std::string read_all(const base::UniqueFd& client) const {
    return read_until(client, [](const std::string&) { return false; });
  }

  std::string ask(const base::UniqueFd& client, const std::string& request, const std::string& end = "mmm") const {
    REQUIRE(::send(client.get(), request.data(), request.size(), MSG_NOSIGNAL) >= 0);
    return read_until(client, [&](const std::string& text) { return text.find(end) != std::string::npos; });
  }

  std::uint16_t port = 0;
  std::unique_ptr<Server> server;
};

const std::string kGet = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

/// Descriptors of this process.
std::size_t descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a connection is kept for the next request") {
  const Running running;
  const auto client = running.connect();
  CHECK(has(running.ask(client, kGet), "HTTP/1.1 200 OK\r\n"));
  CHECK(has(running.ask(client, kGet), "HTTP/1.1 200 OK\r\n"));
  CHECK(has(running.ask(client, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "\r\n\r\n"), "Content-Length: 20\r\n"));
}

TEST_CASE("a reply of any size arrives whole") {
  const Running running({}, 3'000'000);
  const auto client = running.connect();
  const std::string request = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  REQUIRE(::send(client.get(), request.data(), request.size(), 0) > 0);
  const std::string reply = running.read_all(client);
  CHECK(reply.size() > 3'000'000);
  CHECK(has(reply, "m<closed>"));
}

TEST_CASE("bad requests are refused, and the next client is answered") {
  const Running running;
  const auto refused = [&](const std::string& request) {
    const auto client = running.connect();
    return running.ask(client, request, "\r\n\r\n");
  };
  CHECK(has(refused("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"), " 405 "));
  CHECK(has(refused("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"), " 404 "));
  CHECK(has(refused("GET /metrics HTTP/1.1\r\nHost: x\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n"), " 431 "));
  CHECK(has(refused("GET /" + std::string(40'000, 'x') + " HTTP/1.1\r\n\r\n"), " 414 "));
  CHECK_FALSE(has(refused("GET /metrics HTTP/9.9\r\n\r\n"), " 200 "));
  CHECK_FALSE(has(refused(std::string("\x16\x03\x01\0\0\r\n\r\n\r\n", 11)), " 200 "));
  CHECK(has(refused("GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"), " 200 "));
  running.connect();  // and disconnects at once
  const auto client = running.connect();
  CHECK(has(running.ask(client, kGet), " 200 "));
}

TEST_CASE("a thousand clients that never finish a request keep nobody out") {
  const Running running;
  std::vector<base::UniqueFd> slow;
  for (int i = 0; i < 1000; ++i) {
    slow.push_back(running.connect());
    ::send(slow.back().get(), "GET /metrics HT", 15, MSG_NOSIGNAL);
    if (i % 50 == 0) running.server->run();
  }
  const auto client = running.connect();
  CHECK(has(running.ask(client, kGet), " 200 "));
  CHECK(has(running.ask(client, kGet), " 200 "));
}

TEST_CASE("a burst of clients has no more connections than there may be, not even for a moment") {
  constexpr int kClients = 60;  // fewer than one run accepts
  std::size_t while_it_replies = 0;
  const Running running({.most = 4, .most_per_address = 4}, 20, [&] { while_it_replies = descriptors(); });
  std::vector<base::UniqueFd> slow;
  for (int i = 0; i < kClients; ++i) slow.push_back(running.connect());
  const auto client = running.connect();
  const std::size_t before = descriptors();
  CHECK(has(running.ask(client, kGet), " 200 "));
  CHECK(while_it_replies <= before + 4 + 1);  // the last one to go may be on its way
}

TEST_CASE("a client that takes too long is given up") {
  const Running running({.request_ns = 1'000'000});
  const auto silent = running.connect();
  CHECK(running.read_all(silent) == "<closed>");
  const auto slow = running.connect();
  CHECK(has(running.ask(slow, "GET /met", "<closed>"), "<closed>"));
}
