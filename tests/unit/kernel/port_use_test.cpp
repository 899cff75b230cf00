// SPDX-License-Identifier: Apache-2.0
#include "kernel/port_use.hpp"

#include <sys/socket.h>

#include "support/catch.hpp"

using namespace twtrace::kernel;

namespace {

InetDiagSocket socket_to(std::uint8_t host, std::uint16_t port, std::uint16_t local_port, std::uint8_t local_host = 1) {
  InetDiagSocket socket;
  socket.family = AF_INET;
  socket.local_address = {10, 0, 0, local_host};
  socket.remote_address = {10, 0, 0, host};
  socket.remote_port = port;
  socket.local_port = local_port;
  return socket;
}

InetDiagSocket mapped(const InetDiagSocket& v4) {
  InetDiagSocket socket = v4;
  socket.family = AF_INET6;
  for (auto* address : {&socket.local_address, &socket.remote_address}) {
    const auto old = *address;
    *address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, old[0], old[1], old[2], old[3]};
  }
  return socket;
}

}  // namespace

TEST_CASE("reserved ports are not for connect()") {
  const EphemeralPorts ports(32768, 60999, "40000,50000-50009\n");
  CHECK(ports.size() == 28232 - 11);
  CHECK(ports.contains(32768));
  CHECK(ports.contains(60999));
  CHECK_FALSE(ports.contains(61000));
  CHECK_FALSE(ports.contains(40000));
  CHECK_FALSE(ports.contains(50009));
  CHECK(ports.contains(50010));
  CHECK(EphemeralPorts(1, 65535, "").size() == 65535);
  CHECK(EphemeralPorts(10, 5, "").size() == 0);
  for (const char* nonsense : {"x", "1-x", ",,", "7-3", "99999", "-", "65535-65535,0-0"}) {
    INFO(nonsense);
    CHECK(EphemeralPorts(100, 199, nonsense).size() == 100);
  }
}

TEST_CASE("ports are counted per destination, each once, for the fullest local address") {
  const EphemeralPorts ports(32768, 60999, "");
  PortCounter counter(ports);
  for (std::uint16_t port = 40000; port < 40100; ++port) counter.add(socket_to(2, 6379, port));
  for (std::uint16_t port = 40000; port < 40010; ++port) counter.add(socket_to(2, 6379, port));  // a dump begun again
  for (std::uint16_t port = 40000; port < 40030; ++port) counter.add(socket_to(2, 6379, port, 9));
  for (std::uint16_t port = 40200; port < 40203; ++port) counter.add(mapped(socket_to(2, 6379, port)));
  counter.add(socket_to(3, 80, 40000));
  counter.add(socket_to(4, 45000, 8080));  // a server's end

  const auto fullest = counter.fullest(10);
  REQUIRE(fullest.size() == 2);
  CHECK(fullest[0].port == 6379);
  CHECK(fullest[0].taken == 103);
  CHECK(fullest[0].family == AF_INET);
  CHECK(fullest[1].taken == 1);
  CHECK(counter.fullest(1).size() == 1);
}

TEST_CASE("this namespace can be read") {
  const auto ports = EphemeralPorts::read();
  REQUIRE(ports);
  CHECK(ports->size() > 0);
  CHECK(count_ports(*ports, 10));
}
