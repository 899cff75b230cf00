// SPDX-License-Identifier: Apache-2.0
// The socket itself shows which end accepted the connection. It does not matter who listens on which port.
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "loader/features.hpp"
#include "loader/tracer.hpp"
#include "support/catch.hpp"
#include "support/chosen_backend.hpp"
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
  options.backend = chosen_backend();
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

/// A descriptor, or what the command returns.
int bpf(bpf_cmd command, bpf_attr attributes) {
  return static_cast<int>(syscall(SYS_bpf, command, &attributes, sizeof(attributes)));
}

/// While it lives, a listening socket gets every connection of a namespace, whatever the port (BPF_SK_LOOKUP).
class Lookup {
 public:
  Lookup(int netns, int listener) {
    bpf_attr map{};
    map.map_type = BPF_MAP_TYPE_SOCKMAP;
    map.key_size = sizeof(std::uint32_t);
    map.value_size = sizeof(std::uint64_t);
    map.max_entries = 1;
    sockets_.reset(bpf(BPF_MAP_CREATE, map));
    const std::uint32_t key = 0;
    const auto value = static_cast<std::uint64_t>(listener);
    bpf_attr element{};
    element.map_fd = static_cast<std::uint32_t>(sockets_.get());
    element.key = reinterpret_cast<std::uintptr_t>(&key);
    element.value = reinterpret_cast<std::uintptr_t>(&value);
    if (bpf(BPF_MAP_UPDATE_ELEM, element) != 0) return;
    const base::UniqueFd program = load();
    bpf_attr link{};
    link.link_create.prog_fd = static_cast<std::uint32_t>(program.get());
    link.link_create.target_fd = static_cast<std::uint32_t>(netns);
    link.link_create.attach_type = BPF_SK_LOOKUP;
    if (program) link_.reset(bpf(BPF_LINK_CREATE, link));
  }
  explicit operator bool() const { return static_cast<bool>(link_); }

 private:
  /// sk = bpf_map_lookup_elem(&sockets, &zero); if (sk) { bpf_sk_assign(ctx, sk, 0); bpf_sk_release(sk); }
  base::UniqueFd load() const {
    constexpr std::uint8_t kCopy = BPF_ALU64 | BPF_MOV | BPF_X;
    constexpr std::uint8_t kSet = BPF_ALU64 | BPF_MOV | BPF_K;
    constexpr std::uint8_t kCall = BPF_JMP | BPF_CALL;
    const std::array<bpf_insn, 17> code = {{
        {kCopy, 6, 1, 0, 0},
        {BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, 0},
        {BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, sockets_.get()},
        {},
        {kCopy, 2, 10, 0, 0},
        {BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4},
        {kCall, 0, 0, 0, BPF_FUNC_map_lookup_elem},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 7, 0},
        {kCopy, 7, 0, 0, 0},
        {kCopy, 1, 6, 0, 0},
        {kCopy, 2, 7, 0, 0},
        {kSet, 3, 0, 0, 0},
        {kCall, 0, 0, 0, BPF_FUNC_sk_assign},
        {kCopy, 1, 7, 0, 0},
        {kCall, 0, 0, 0, BPF_FUNC_sk_release},
        {kSet, 0, 0, 0, 1},
        {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
    }};
    bpf_attr program{};
    program.prog_type = BPF_PROG_TYPE_SK_LOOKUP;
    program.expected_attach_type = BPF_SK_LOOKUP;
    program.insns = reinterpret_cast<std::uintptr_t>(code.data());
    program.insn_cnt = code.size();
    program.license = reinterpret_cast<std::uintptr_t>("GPL");
    return base::UniqueFd(bpf(BPF_PROG_LOAD, program));
  }

  base::UniqueFd sockets_;
  base::UniqueFd link_;
};

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

TEST_CASE("a server is a server on the port that the client meant, if sk_lookup chose the listener", "[capacity]") {
  if (!privileged()) return;
  const auto family = GENERATE(AF_INET, kMapped);
  const bool stops = GENERATE(false, true);  // listening, before the start
  CAPTURE(family, stops);
  constexpr std::uint16_t kMeant = 40000;  // of the ports that connect() chooses from
  const base::UniqueFd netns = new_netns();
  std::vector<TcpPair> pairs(13);
  base::UniqueFd listener;
  bool can = false;
  inside_netns(netns.get(), [&] {
    listener = listen_on(5000, family);
    const Lookup lookup(netns.get(), listener.get());
    can = static_cast<bool>(lookup);
    if (!can) return;
    for (TcpPair& pair : pairs) pair = make_pair(listener.get(), kMeant, family);
    if (stops) listener.reset();
  });
  if (!can) return mark_skipped("this kernel has no sk_lookup");
  auto tracer = open_tracer();
  tracer.set_enabled(true);
  for (TcpPair& pair : pairs) close_first(pair.server, pair.client);
  tracer.set_enabled(false);
  CHECK(found_in(tracer, netns.get()) == std::vector<Found>{{TW_ROLE_SERVER, kMeant, 13}});
}
