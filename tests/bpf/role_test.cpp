// SPDX-License-Identifier: Apache-2.0
// The socket itself shows which end accepted the connection. It does not matter who listens on which port.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

#include "loader/features.hpp"
#include "loader/tracer.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/inside_netns.hpp"
#include "support/tcp_pairs.hpp"
#include "trace/translate.hpp"

using namespace twtrace;
using namespace twtrace::test;

namespace {

loader::Tracer open_tracer() {
  const auto features = loader::probe_features("", {});
  REQUIRE(features);
  loader::TracerOptions options;
  options.backend = loader::backend_named(environment("TWTRACE_PROBE", ""));
  auto tracer = loader::Tracer::open(*features, options);
  INFO((tracer ? std::string() : tracer.error().what));
  REQUIRE(tracer);
  return std::move(*tracer);
}

/// The created and refused buckets of each row of a namespace.
struct Found {
  std::uint8_t role;
  std::uint16_t port;
  std::uint64_t count;
  bool operator==(const Found&) const = default;
};

std::vector<Found> found_in(loader::Tracer& tracer, int netns) {
  const std::uint32_t inum = netns_facts(netns).inum;
  std::vector<Found> rows;
  for (const tw_row& row : tracer.rows()) {
    if (!loader::is_published(row) || tracer.netns_at(row.key.netns).inum != inum) continue;
    const model::Counters counts = trace::to_counters(row.counts);
    rows.push_back({row.key.role, row.key.port, counts.created() + counts.refused()});
  }
  return rows;
}

/// Connects from its own address, and a port that bind() chooses.
base::UniqueFd connect_from_bound(std::uint16_t port) {
  base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  address.sin_port = htons(port);
  REQUIRE(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  return fd;
}

}  // namespace

TEST_CASE("a server is a server, after more ports have listened than anybody could remember", "[capacity]") {
  if (!privileged()) return;
  constexpr int kPorts = 17'000;
  auto tracer = open_tracer();
  const base::UniqueFd netns = new_netns();
  tracer.set_enabled(true);
  inside_netns(netns.get(), [] {
    write_net_sysctl("ip_local_port_range", "30000 60000");
    for (int i = 0; i < kPorts; ++i) listen_on(static_cast<std::uint16_t>(3000 + i));
    const base::UniqueFd listener = listen_on(22000);
    for (int i = 0; i < 41; ++i) {
      TcpPair pair = make_pair(listener.get(), 22000);
      close_first(pair.server, pair.client);
    }
  });
  tracer.set_enabled(false);
  CHECK(found_in(tracer, netns.get()) == std::vector<Found>{{TW_ROLE_SERVER, 22000, 41}});
}

TEST_CASE("a server is a server, though its listener was gone before the start, and the table is full", "[capacity]") {
  if (!privileged()) return;
  const auto limit = GENERATE("1000", "0");
  const auto family = GENERATE(AF_INET, AF_INET6);
  const base::UniqueFd netns = new_netns();
  std::vector<TcpPair> pairs(13);
  inside_netns(netns.get(), [&] {
    write_net_sysctl("tcp_max_tw_buckets", limit);
    const base::UniqueFd listener = listen_on(40000, family);  // of the ports that connect() chooses from
    for (TcpPair& pair : pairs) pair = make_pair(listener.get(), 40000, family);
  });
  auto tracer = open_tracer();
  tracer.set_enabled(true);
  for (TcpPair& pair : pairs) close_first(pair.server, pair.client);
  tracer.set_enabled(false);
  CHECK(found_in(tracer, netns.get()) == std::vector<Found>{{TW_ROLE_SERVER, 40000, 13}});
}

TEST_CASE("a client is a client, also on a port that bind() chose and on which somebody listened", "[capacity]") {
  if (!privileged()) return;
  auto tracer = open_tracer();
  const base::UniqueFd netns = new_netns();
  tracer.set_enabled(true);
  inside_netns(netns.get(), [] {
    write_net_sysctl("ip_local_port_range", "40000 40003");
    for (std::uint16_t port = 40000; port < 40004; ++port) listen_on(port);
    const base::UniqueFd listener = listen_on(5000);
    base::UniqueFd client = connect_from_bound(5000);
    base::UniqueFd server(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    close_first(client, server);
  });
  tracer.set_enabled(false);
  CHECK(found_in(tracer, netns.get()) == std::vector<Found>{{TW_ROLE_CLIENT, 5000, 1}});
}
