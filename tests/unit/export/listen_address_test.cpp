// SPDX-License-Identifier: Apache-2.0
#include "export/listen_address.hpp"

#include "export/listeners.hpp"
#include "support/catch.hpp"

using namespace twtrace;
using exporter::parse_listen_address;

TEST_CASE("addresses to listen on") {
  const auto check = [](const char* text, const std::string& host, std::uint16_t port) {
    const auto address = parse_listen_address(text);
    INFO(text);
    REQUIRE(address);
    CHECK(address->host == host);
    CHECK(address->port == port);
    CHECK(to_string(*address) == text);
  };
  check("127.0.0.1:9476", "127.0.0.1", 9476);
  check(":9476", "", 9476);
  check("[::1]:0", "::1", 0);
  check("[fe80::1%eth0]:80", "fe80::1%eth0", 80);
  check("localhost:65535", "localhost", 65535);
}

TEST_CASE("what is no address is refused with what to type") {
  for (const char* text :
       {"", ":", "9476", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "::1:9476", "[127.0.0.1]:80",
        "[::1:80", "::1]:80", "[]:80", "a b:80", "a/b:80", "host:-1", "host:+1", "host: 80", "http://host:80"}) {
    const auto address = parse_listen_address(text);
    INFO(text);
    REQUIRE_FALSE(address);
    CHECK(address.error().code == base::ErrorCode::kUsage);
    CHECK(address.error().hint.find("127.0.0.1:9476") != std::string::npos);
  }
}

TEST_CASE("a port that is taken, and an address that is not ours") {
  auto first = exporter::listen_on({{"127.0.0.1", 0}});
  REQUIRE(first);
  REQUIRE(first->size() == 1);
  const auto taken = parse_listen_address(first->front().address);
  REQUIRE(taken);
  CHECK(taken->port != 0);
  const auto second = exporter::listen_on({*taken});
  REQUIRE_FALSE(second);
  CHECK(second.error().what.find("cannot listen on " + first->front().address) == 0);
  CHECK(second.error().hint.find("another program listens there") == 0);
  CHECK_FALSE(exporter::listen_on({{"192.0.2.1", 0}}));  // TEST-NET-1
  first->clear();
  const auto twice = exporter::listen_on({*taken, *taken});
  REQUIRE_FALSE(twice);
  CHECK(twice.error().hint == "it is given twice: give each --web.listen-address once");
  const auto within = exporter::listen_on({{"", taken->port}, *taken});
  REQUIRE_FALSE(within);
  CHECK(within.error().hint.find("--web.listen-address :" + std::to_string(taken->port)) == 0);
  CHECK(exporter::listen_on({{"127.0.0.1", 0}, {"127.0.0.1", 0}}));  // the kernel chooses two
}

TEST_CASE("without systemd there are no sockets of systemd's") {
  ::unsetenv("LISTEN_PID");
  const auto sockets = exporter::take_systemd_sockets();
  REQUIRE_FALSE(sockets);
  CHECK(sockets.error().code == base::ErrorCode::kUsage);
}
