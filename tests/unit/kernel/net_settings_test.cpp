// SPDX-License-Identifier: Apache-2.0
#include "kernel/net_settings.hpp"

#include "support/catch.hpp"
#include "temp_tree.hpp"

using namespace twtrace::kernel;

namespace {

constexpr const char* kSlabinfo =
    "slabinfo - version: 2.1\n"
    "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit>\n"
    "tw_sock_TCPv6        176    240    264   16    1 : tunables    0    0    0 : slabdata     15     15      0\n"
    "tw_sock_TCP           80    144    256   16    1 : tunables    0    0    0 : slabdata      9      9      0\n";

}  // namespace

TEST_CASE("settings of a namespace") {
  const TempTree tree;
  tree.file("net/ipv4/tcp_max_tw_buckets", "5000\n");
  tree.file("net/ipv4/tcp_ehash_entries", "-262144\n");
  tree.file("net/ipv4/tcp_fin_timeout", "60\n");
  tree.file("net/ipv4/tcp_tw_reuse", "2\n");
  tree.file("net/ipv4/tcp_timestamps", "1\n");
  tree.file("net/ipv4/tcp_max_syn_backlog", "1021\n");
  tree.file("net/core/somaxconn", "4099\n");
  tree.file("net/ipv4/ip_local_port_range", "32768\t32777\n");
  tree.file("net/ipv4/ip_local_reserved_ports", "32770-32771,40000\n");
  const auto settings = read_net_settings(Sysctl(tree.root()));
  CHECK(settings.limit == 5000U);
  CHECK(settings.default_limit == 131072U);
  CHECK(settings.fin_timeout_s == 60U);
  CHECK(settings.tw_reuse == 2U);
  CHECK(settings.timestamps == 1U);
  CHECK(settings.syn_backlog == 1021U);
  CHECK(settings.somaxconn == 4099U);
  CHECK(settings.ephemeral_ports == 8U);
}

TEST_CASE("a setting that is not there is empty, the others are read") {
  const TempTree tree;
  tree.file("net/ipv4/tcp_max_tw_buckets", "-1\n");  // no limit
  tree.file("net/ipv4/tcp_fin_timeout", "30\n");
  const auto settings = read_net_settings(Sysctl(tree.root()));
  CHECK_FALSE(settings.limit);
  CHECK_FALSE(settings.default_limit);
  CHECK_FALSE(settings.ephemeral_ports);
  CHECK_FALSE(settings.somaxconn);
  CHECK(settings.fin_timeout_s == 30U);
}

TEST_CASE("the size of a slab is found by its whole name") {
  CHECK(parse_slab_size(kSlabinfo, "tw_sock_TCP") == 256U);
  CHECK(parse_slab_size(kSlabinfo, "tw_sock_TCPv6") == 264U);
  CHECK_FALSE(parse_slab_size(kSlabinfo, "tw_sock"));
  CHECK_FALSE(parse_slab_size("", "tw_sock_TCP"));
  CHECK_FALSE(parse_slab_size("tw_sock_TCP 1 2", "tw_sock_TCP"));
  CHECK_FALSE(parse_slab_size("tw_sock_TCP 1 2 many 3\n", "tw_sock_TCP"));
}

TEST_CASE("a bucket's size comes from slabinfo, else from sysfs") {
  const TempTree tree;
  CHECK_FALSE(read_bucket_bytes(tree.root()));
  tree.file("sys/kernel/slab/tw_sock_TCP/slab_size", "248\n");
  CHECK(read_bucket_bytes(tree.root()) == 248U);
  tree.file("proc/slabinfo", "slabinfo - version: 2.1\nskbuff_head_cache 1 2 256 16 1 : x\n");
  CHECK(read_bucket_bytes(tree.root()) == 248U);  // merged with another
  tree.file("proc/slabinfo", kSlabinfo);
  CHECK(read_bucket_bytes(tree.root()) == 256U);
}
