// SPDX-License-Identifier: Apache-2.0
// The reader of the tables, with a tracer. It credits each bucket to the row of its owner exactly once. Nothing alive
// is forgotten.
#include <netinet/in.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bpf/readers.hpp"
#include "loader/tracer.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/inside_netns.hpp"
#include "support/netns_sandbox.hpp"
#include "support/tcp_pairs.hpp"

using namespace twtrace;
using namespace twtrace::test;

namespace {

loader::Tracer open_tracer(bool cookies) {
  const auto features =
      loader::probe_features("", cookies ? std::set<std::string>{} : std::set<std::string>{"socket-cookie"});
  REQUIRE(features);
  loader::TracerOptions options;
  options.backend = loader::Backend::kTracepoint;
  auto tracer = loader::Tracer::open(*features, options);
  INFO((tracer ? std::string() : tracer.error().what));
  REQUIRE(tracer);
  return std::move(*tracer);
}

/// A tracer, with or without a cookie for each connection, and readers that share its maps.
struct Watch {
  explicit Watch(std::uint64_t run_ns = loader::ReaderOptions().run_ns, bool cookies = true)
      : tracer(open_tracer(cookies)), readers(open_readers(run_ns, tracer.state())) {}

  /// Does a pass. Returns the number of buckets that the tracer does not know, by namespace.
  std::map<std::uint64_t, std::size_t> pass(std::uint32_t what = TW_READ_CREDIT | TW_READ_BUCKETS) {
    std::map<std::uint64_t, std::size_t> unknown;
    tracer.begin_scan();
    const auto namespaces = readers.namespaces().read(false);
    REQUIRE(namespaces);
    const auto read =
        readers.table().read(*namespaces, what, [&](const tw_socket_reading& each) { ++unknown[each.netns_id]; });
    REQUIRE(read);
    CHECK(read->given_up == 0);
    return unknown;
  }

  /// Sums a field over the rows of a namespace.
  std::uint64_t credited(const NetnsSandbox& netns) { return sum(netns, &tw_row::scanned); }
  std::uint64_t waiting(const NetnsSandbox& netns) { return sum(netns, &tw_row::pending); }

  loader::Tracer tracer;
  loader::Readers readers;

 private:
  std::uint64_t sum(const NetnsSandbox& netns, __u64 tw_row::*field) {
    std::uint64_t total = 0;
    for (const tw_row& row : tracer.rows()) {
      if (loader::is_published(row) && tracer.netns_at(row.key.netns).inum == netns.inode()) total += row.*field;
    }
    return total;
  }
};

Sysctls roomy() { return {{"tcp_max_tw_buckets", "100000"}, {"tcp_tw_reuse", "0"}, {"tcp_rfc1337", "1"}}; }

}  // namespace

TEST_CASE("each bucket is credited to its row once, and those from before are told", "[quick]") {
  if (!privileged()) return;
  Watch watch(GENERATE(0U, 500'000U), GENERATE(true, false));
  const NetnsSandbox shared(roomy());
  const NetnsSandbox own(roomy(), 16);
  leave_buckets_in(shared.fd(), 5000, 11);
  watch.tracer.set_enabled(true);
  leave_buckets_in(shared.fd(), 5000, 101);
  leave_buckets_in(own.fd(), 5000, 211);
  const std::uint64_t id = id_of(watch.readers, shared.fd());
  for (int i = 0; i < 3; ++i) {
    const auto unknown = watch.pass();
    CHECK(watch.credited(shared) == 101);
    CHECK(watch.credited(own) == 211);
    CHECK(unknown.count(id) == 1);
    CHECK(unknown.at(id) == 11);
    CHECK(unknown.count(id_of(watch.readers, own.fd())) == 0);
  }
}

TEST_CASE("buckets that are created during a pass are credited in it or in the next one") {
  if (!privileged()) return;
  Watch watch(GENERATE(0U, 500'000U));
  const NetnsSandbox netns(roomy(), GENERATE(0U, 16U));
  watch.tracer.set_enabled(true);
  constexpr int kBuckets = 2003;
  std::atomic<int> begun = 0;
  std::atomic<int> created = 0;
  std::thread creator([&] {
    inside_netns(netns.fd(), [&] {
      const base::UniqueFd listener = listen_on(5000);
      for (int i = 0; i < kBuckets; ++i) {
        TcpPair pair = make_pair(listener.get(), 5000);
        ++begun;
        close_first(pair.client, pair.server);
        ++created;
      }
    });
  });
  int least = 0;
  do {
    least = created;
    watch.pass();
    const int most = begun;
    CHECK(watch.credited(netns) >= static_cast<std::uint64_t>(least));
    CHECK(watch.credited(netns) <= static_cast<std::uint64_t>(most));
  } while (least < kBuckets);
  creator.join();
  watch.pass();
  CHECK(watch.credited(netns) == kBuckets);
}

TEST_CASE("what two passes have not found is forgotten, and what they have found is not") {
  if (!privileged()) return;
  Watch watch(500'000, GENERATE(true, false));
  const NetnsSandbox lasting(roomy());
  auto passing = std::make_unique<NetnsSandbox>(roomy());
  watch.tracer.set_enabled(true);
  leave_buckets_in(lasting.fd(), 5000, 13);
  leave_buckets_in(passing->fd(), 5000, 17);
  std::vector<TcpPair> waiting(5);
  inside_netns(lasting.fd(), [&] {
    const base::UniqueFd listener = listen_on(5001);
    for (TcpPair& pair : waiting) {
      pair = make_pair(listener.get(), 5001);
      send_fin_behind_data(pair.client.get());
    }
  });
  std::set<std::uint32_t> ours;  // the host closes connections elsewhere meanwhile
  for (const tw_row& row : watch.tracer.rows()) {
    const std::uint32_t inum = loader::is_published(row) ? watch.tracer.netns_at(row.key.netns).inum : 0;
    if (inum == lasting.inode() || inum == passing->inode()) ours.insert(row.key.netns);
  }
  std::vector<loader::SweptBucket> gone;
  const auto sweep = [&] {
    REQUIRE(watch.tracer.sweep(gone, loader::Pace::kWhole));
    std::erase_if(gone, [&ours](const loader::SweptBucket& swept) { return ours.count(swept.bucket.netns) == 0; });
  };
  for (int i = 0; i < 3; ++i) watch.pass(), sweep();
  CHECK(gone.empty());
  CHECK(watch.waiting(lasting) == waiting.size());

  passing->remove();  // the kernel ends its buckets some time later
  while (gone.size() < 17) watch.pass(), sweep();
  watch.pass(), sweep();
  CHECK(gone.size() == 17);
  CHECK(watch.waiting(lasting) == waiting.size());
  CHECK(watch.credited(lasting) == 13);
}
