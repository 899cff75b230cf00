// SPDX-License-Identifier: Apache-2.0
// Batches print troubles without an option.
#include <string>

#include "bpf/expect.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/twtrace_run.hpp"

using namespace twtrace::test;
using nlohmann::json;

namespace {

/// The trouble of this kind in a namespace. Null if there is none.
json trouble_of(const json& snapshot, const Arena& arena, const std::string& kind) {
  for (const json& trouble : snapshot.at("troubles")) {
    if (trouble.at("netns") == arena.netns.inode() && trouble.at("kind") == kind) return trouble;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("a destination towards which no port is left is a trouble", "[quick]") {
  if (!privileged()) return;
  // An even number: of an odd one, connect() leaves out a port that depends on the destination (__inet_hash_connect).
  Arena arena(Sysctls{{"ip_local_port_range", "32768 32829"}, {"tcp_tw_reuse", "0"}});
  TwtraceRun& twtrace = shared_twtrace();
  arena.run({"client-first", 62, 5017});
  // Where the machine is slow, a sample meets the client half-way: the last of its ports makes this complete.
  const json snapshot = twtrace.wait_for([&](const json& latest) {
    const json ports = trouble_of(latest, arena, "ports");
    return !ports.is_null() && ports.at("taken") == 62;
  });
  const json trouble = trouble_of(snapshot, arena, "ports");
  INFO(trouble.dump());
  CHECK(trouble.at("taken") == 62);
  CHECK(trouble.at("of") == 62);
  CHECK(trouble.at("destination").at("port") == 5017);
  CHECK(trouble.at("netns_id") == namespace_entry(snapshot, arena.netns).at("netns_id"));
  CHECK(trouble_of(snapshot, arena, "full").is_null());
}
