// SPDX-License-Identifier: Apache-2.0
// Against receivers of our own: one that answers, one that never does, and none at all.
#include "export/otlp_push.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/whole_io.hpp"
#include "support/catch.hpp"

using namespace twtrace;
using base::UniqueFd;
using exporter::OtlpPush;

namespace {

/// A socket that listens on a port of the loopback interface.
struct Receiver {
  Receiver() : listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener.get(), 8) == 0);
    REQUIRE(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port = ntohs(address.sin_port);
  }

  exporter::OtlpSettings settings() const {
    exporter::OtlpSettings settings;
    settings.url.shown = "http://127.0.0.1:" + std::to_string(port) + "/v1/metrics";
    settings.url.url = settings.url.shown;
    settings.headers = {"X-Tenant: a"};
    return settings;
  }

  /// Takes the next request from a connection, and answers it.
  static std::string take(const UniqueFd& connection, const std::string& status, const std::string& body = "{}") {
    std::string request;
    std::size_t wanted = std::string::npos;
    while (request.size() < wanted) {
      std::vector<char> bytes(65536);
      const ssize_t count = ::read(connection.get(), bytes.data(), bytes.size());
      REQUIRE(count > 0);
      request.append(bytes.data(), static_cast<std::size_t>(count));
      const std::size_t end = request.find("\r\n\r\n");
      const std::string name = "Content-Length: ";
      const std::size_t length = request.find(name);
      if (end != std::string::npos && length < end) wanted = end + 4 + std::stoul(request.substr(length + name.size()));
    }
    const std::string answer =
        "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    REQUIRE(::write(connection.get(), answer.data(), answer.size()) == static_cast<ssize_t>(answer.size()));
    return request;
  }

  UniqueFd accept() const { return UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)); }

  UniqueFd listener;
  std::uint16_t port = 0;
};

constexpr std::chrono::minutes kForever{1};

/// Of the test that reads what the child says.
int& log_fd() {
  static int fd = -1;
  return fd;
}

base::Result<void> nothing() { return {}; }

std::string body_of(const std::string& request) { return request.substr(request.find("\r\n\r\n") + 4); }

}  // namespace

TEST_CASE("documents arrive one after another over one connection, after failures, too") {
  const Receiver receiver;
  auto push = OtlpPush::start(receiver.settings(), nothing);
  REQUIRE(push.has_value());
  REQUIRE(push->send("{\"first\":1}"));
  const UniqueFd connection = receiver.accept();
  const std::string request = Receiver::take(connection, "503 Busy");
  CHECK(request.rfind("POST /v1/metrics HTTP/1.1\r\n", 0) == 0);
  CHECK(request.find("\r\nContent-Type: application/json\r\n") != std::string::npos);
  CHECK(request.find("\r\nX-Tenant: a\r\n") != std::string::npos);
  CHECK(body_of(request) == "{\"first\":1}");
  const std::string large = "[" + std::string(900'000, '1') + "]";
  REQUIRE(push->send(large));
  CHECK(body_of(Receiver::take(connection, "200 OK")) == large);
}

TEST_CASE("what the receiver complains about is said once, with its reason, until it takes everything") {
  const Receiver receiver;
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const UniqueFd said(ends[0]);
  log_fd() = ends[1];
  const auto before = spdlog::default_logger();
  base::init_logging(0, [](std::string_view text) { base::write_all(log_fd(), text); });
  auto push = OtlpPush::start(receiver.settings(), nothing);
  spdlog::set_default_logger(before);
  ::close(ends[1]);
  REQUIRE(push.has_value());
  REQUIRE(push->send("{}"));
  const UniqueFd connection = receiver.accept();
  const std::string rejects = R"({"partialSuccess":{"rejectedDataPoints":"5","errorMessage":"too\told"}})";
  const std::string large = R"({"code":3,"message":"no )" + std::string(1, '\x1b') + std::string(100'000, '!') + "\"}";
  using Answer = std::pair<std::string, std::string>;
  for (const auto& [status, body] :
       {Answer{"200 OK", rejects}, Answer{"200 OK", rejects}, Answer{"400 Bad Request", large}, Answer{"400 Bad", "x"},
        Answer{"200 OK", "{}"}, Answer{"200 OK", rejects}}) {
    Receiver::take(connection, status, body);
    REQUIRE(push->send("{}"));
  }
  Receiver::take(connection, "200 OK");
  CHECK_FALSE(push->finish("{}", std::chrono::steady_clock::now()).has_value());  // nobody answers it
  std::string text;
  for (char byte = 0; base::read_all(said.get(), &byte, 1);) text += byte;
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  const std::string url = receiver.settings().url.shown;
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] == "twtrace: " + url + " did not take all metrics as they are: " + rejects);
  CHECK(lines[1].find("twtrace: cannot push metrics to " + url +
                      R"(: it answered 400, {"code":3,"message":"no \x1B!!!)") == 0);
  CHECK(lines[1].size() < 300);
  CHECK(lines[2] == lines[0]);
}

TEST_CASE("a receiver that never answers blocks nobody: documents are left out") {
  const Receiver receiver;  // the kernel accepts for it
  auto push = OtlpPush::start(receiver.settings(), nothing);
  REQUIRE(push.has_value());
  const std::string document(700'000, '1');
  int taken = 0;
  for (int i = 0; i < 100; ++i) taken += push->send(document) ? 1 : 0;
  CHECK(taken < 10);
  CHECK_FALSE(push->flush());
}

TEST_CASE("a receiver that is not there blocks nobody") {
  exporter::OtlpSettings settings;
  {
    const Receiver gone;
    settings = gone.settings();
  }
  auto push = OtlpPush::start(settings, nothing);
  REQUIRE(push.has_value());
  CHECK(push->send("{}"));
}

TEST_CASE("the last document is pushed before the child ends, behind what is on its way, and larger than a pipe") {
  const std::string large = "[" + std::string(3'000'000, '1') + "]";
  const Receiver receiver;
  auto push = OtlpPush::start(receiver.settings(), nothing);
  REQUIRE(push.has_value());
  REQUIRE(push->send("{}"));
  std::vector<std::string> bodies;
  std::thread receiving([&] {
    const UniqueFd connection = receiver.accept();
    for (int i = 0; i < 2; ++i) bodies.push_back(body_of(Receiver::take(connection, "200 OK")));
  });
  const auto finished = push->finish(large, std::chrono::steady_clock::now() + kForever);
  receiving.join();
  CHECK(finished.has_value());
  CHECK(bodies == std::vector<std::string>{"{}", large});
}

TEST_CASE("a receiver that never answers does not get the last document, and that is said") {
  const Receiver receiver;  // the kernel accepts for it
  for (const std::string& document : {std::string("{}"), std::string(3'000'000, '1')}) {
    auto one = OtlpPush::start(receiver.settings(), nothing);
    REQUIRE(one.has_value());
    const auto finished = one->finish(document, std::chrono::steady_clock::now() + std::chrono::milliseconds(100));
    REQUIRE_FALSE(finished.has_value());
    CHECK(finished.error().what.find("took too long") != std::string::npos);
  }
}

TEST_CASE("the end of the child is no matter of the receiver: it is told apart, and the child is reaped") {
  const auto before = std::signal(SIGPIPE, SIG_IGN);  // as twtrace does
  const Receiver receiver;
  auto push = OtlpPush::start(receiver.settings(), nothing);
  REQUIRE(push.has_value());
  pollfd ended{push->child_fd(), POLLIN, 0};
  CHECK(::poll(&ended, 1, 0) == 0);
  REQUIRE(::syscall(SYS_pidfd_send_signal, push->child_fd(), SIGKILL, nullptr, 0) == 0);
  REQUIRE(::poll(&ended, 1, -1) == 1);
  for (int i = 0; i < 3; ++i) CHECK(push->send(std::string(3'000'000, '1')));
  CHECK(push->ended().what == "the process that pushes metrics was killed by signal 9");
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
  std::signal(SIGPIPE, before);
}

TEST_CASE("a child that ends with an error is no success of the last push") {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  const Receiver receiver;
  auto push = OtlpPush::start(receiver.settings(), []() -> base::Result<void> {
    return base::fail(base::ErrorCode::kPermission, "the test does not want it");
  });
  REQUIRE(push.has_value());
  const auto finished = push->finish("{}", std::chrono::steady_clock::now() + kForever);
  REQUIRE_FALSE(finished.has_value());
  CHECK(finished.error().what == "the process that pushes metrics ended with exit code 1");
  std::signal(SIGPIPE, before);
}

TEST_CASE("a child that cannot drop its privileges pushes nothing") {
  const auto before = std::signal(SIGPIPE, SIG_IGN);  // as twtrace does: the child may have ended before the write
  const Receiver receiver;
  {
    auto push = OtlpPush::start(receiver.settings(), []() -> base::Result<void> {
      return base::fail(base::ErrorCode::kPermission, "the test does not want it");
    });
    REQUIRE(push.has_value());
    push->send("{}");
  }
  pollfd waiting{receiver.listener.get(), POLLIN, 0};
  CHECK(::poll(&waiting, 1, 0) == 0);  // the child has ended, and nobody has connected
  std::signal(SIGPIPE, before);
}
