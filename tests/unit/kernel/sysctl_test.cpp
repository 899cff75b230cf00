// SPDX-License-Identifier: Apache-2.0
#include "kernel/sysctl.hpp"

#include "support/catch.hpp"
#include "temp_tree.hpp"

using namespace twtrace::kernel;
using twtrace::base::ErrorCode;

TEST_CASE("sysctl reads numbers and pairs") {
  const TempTree tree;
  const Sysctl sysctl(tree.root());
  tree.file("net/ipv4/tcp_max_tw_buckets", "131072\n");
  tree.file("net/ipv4/ip_local_port_range", "32768\t60999\n");
  tree.file("net/ipv4/tcp_ehash_entries", "-4096\n");
  CHECK(sysctl.read_u64(kTcpMaxTwBuckets).value() == 131072);
  CHECK(sysctl.read_pair(kIpLocalPortRange).value() == std::pair<std::uint64_t, std::uint64_t>{32768, 60999});
  CHECK(sysctl.read_i64("net/ipv4/tcp_ehash_entries").value() == -4096);
  CHECK(sysctl.read_u64("net/ipv4/tcp_ehash_entries").error().code == ErrorCode::kInvalid);
  CHECK(sysctl.read_u64(kIpLocalPortRange).error().code == ErrorCode::kInvalid);
  CHECK(sysctl.read_pair(kTcpMaxTwBuckets).error().code == ErrorCode::kInvalid);
  CHECK(sysctl.read_u64(kTcpTimestamps).error().code == ErrorCode::kNotFound);
}

TEST_CASE("a pair has exactly two numbers") {
  const TempTree tree;
  tree.file("x", "1 2 3\n");
  CHECK(Sysctl(tree.root()).read_pair("x").error().code == ErrorCode::kInvalid);
}
