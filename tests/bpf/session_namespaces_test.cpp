// SPDX-License-Identifier: Apache-2.0
// Namespaces that no process is in: a session counts them, compares them, and knows when they are gone.
#include <sys/socket.h>

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "base/unique_fd.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/inside_netns.hpp"
#include "support/tcp_pairs.hpp"
#include "trace/session.hpp"

using namespace twtrace;
using namespace twtrace::test;

namespace {

constexpr std::uint16_t kPort = 5000;

void leave_buckets(int netns, int count) {
  inside_netns(netns, [count] {
    const base::UniqueFd listener = listen_on(kPort);
    for (int i = 0; i < count; ++i) {
      TcpPair pair = make_pair(listener.get(), kPort);
      close_first(pair.client, pair.server);
    }
  });
}

/// A socket that is all that holds its namespace, once the descriptor is closed.
base::UniqueFd socket_in(int netns) {
  base::UniqueFd result;
  inside_netns(netns, [&result] { result.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); });
  return result;
}

std::vector<model::NetnsRow> rows_of(const trace::Session& session, std::uint32_t inum) {
  std::vector<model::NetnsRow> rows = session.head().namespaces;
  std::erase_if(rows, [inum](const model::NetnsRow& row) { return row.netns != inum; });
  return rows;
}

}  // namespace

TEST_CASE("a namespace that only a socket holds is compared like any other, and is gone with the socket") {
  if (!privileged()) return;
  const bool before_start = GENERATE(true, false);
  constexpr int kBefore = 5;
  constexpr int kSince = 7;
  std::optional<base::UniqueFd> netns;
  std::optional<trace::Session> session;
  const auto start = [&session] {
    auto started = trace::Session::start({});
    INFO((started ? std::string() : started.error().what));
    REQUIRE(started);
    session.emplace(std::move(*started));
  };
  if (!before_start) start();
  netns.emplace(new_netns());
  base::UniqueFd held = socket_in(netns->get());
  const NetnsFacts facts = netns_facts(netns->get());
  if (before_start) {
    leave_buckets(netns->get(), kBefore);
    start();
  }
  leave_buckets(netns->get(), kSince);
  netns.reset();

  REQUIRE(session->sample(false));
  auto rows = rows_of(*session, facts.inum);
  REQUIRE(rows.size() == 1);
  CHECK_FALSE(rows[0].gone);
  CHECK(rows[0].counts.created() == kSince);
  CHECK(rows[0].reconciled == true);
  CHECK(rows[0].missed.overflow == 0U);
  CHECK(rows[0].in_use == static_cast<std::uint64_t>(kSince + (before_start ? kBefore : 0)));
  CHECK(rows[0].limit == facts.limit);

  held.reset();
  for (int sample = 0; sample < 1000 && !rows.empty() && !rows[0].gone; ++sample) {  // the kernel takes its time
    REQUIRE(session->sample(false));
    rows = rows_of(*session, facts.inum);
  }
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].gone);
  CHECK(rows[0].counts.created() == kSince);
  CHECK_FALSE(rows[0].in_use);
}

TEST_CASE("a namespace in which nothing was counted is forgotten when it is gone") {
  if (!privileged()) return;
  auto session = trace::Session::start({});
  REQUIRE(session);
  base::UniqueFd netns = new_netns();
  const NetnsFacts facts = netns_facts(netns.get());
  REQUIRE(session->sample(false));
  REQUIRE(rows_of(*session, facts.inum).size() == 1);
  netns.reset();
  for (int sample = 0; sample < 1000 && !rows_of(*session, facts.inum).empty(); ++sample) {
    REQUIRE(session->sample(false));
  }
  CHECK(rows_of(*session, facts.inum).empty());
}
