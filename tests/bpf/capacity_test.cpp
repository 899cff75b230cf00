// SPDX-License-Identifier: Apache-2.0
// The tables of the kernel side. If one is full, twtrace says so, and still counts each bucket exactly once. A reused
// entry contains nothing of its previous use.
#include <bpf/btf.h>
#include <unistd.h>

#include <memory>
#include <set>
#include <string>

#include "bpf/expect.hpp"
#include "kernel/cpu_list.hpp"
#include "loader/features.hpp"
#include "loader/tracer.hpp"
#include "support/bpf_maps.hpp"
#include "support/catch.hpp"
#include "support/chosen_backend.hpp"
#include "support/environment.hpp"
#include "trace/translate.hpp"

using namespace twtrace;
using namespace twtrace::test;

namespace {

/// A tracer with the backend of $TWTRACE_PROBE. It does not count yet.
base::Result<loader::Tracer> open_tracer(loader::TracerOptions options = {},
                                         const std::set<std::string>& no_features = {}) {
  const auto features = loader::probe_features("", no_features);
  if (!features) return tl::unexpected(features.error());
  options.backend = chosen_backend();
  return loader::Tracer::open(*features, options);
}

/// Whether fdinfo says what a map costs: up to 5.10 it is what is charged, since 6.4 (90a5527d7686) what is used. In
/// between it leaves out the kernel's own structures. A function that returns false has marked the test as skipped.
bool map_costs_known() {
  const auto features = loader::probe_features("", {});
  const std::unique_ptr<btf, decltype(&btf__free)> types(btf__load_vmlinux_btf(), btf__free);
  REQUIRE(features);
  if (!features->memcg_charged) return true;
  if (types && btf__find_by_name_kind(types.get(), "array_map_mem_usage", BTF_KIND_FUNC) > 0) return true;
  mark_skipped("this kernel only tells the size of the entries of a map");
  return false;
}

}  // namespace

TEST_CASE("no room for a connection: its bucket is counted once, and that its row is not remembered", "[capacity]") {
  if (!privileged()) return;
  constexpr std::uint64_t kBuckets = 23;
  loader::TracerOptions options;
  options.sizes.buckets = 1;
  auto tracer = open_tracer(options);
  INFO((tracer ? std::string() : tracer.error().what));
  REQUIRE(tracer);
  occupy_slots(::getpid());
  Arena arena(split_substates());
  tracer->set_enabled(true);
  arena.run({"client-first", kBuckets, 5025});
  tracer->set_enabled(false);

  model::Counters total;
  for (const tw_netns& netns : tracer->namespaces()) {
    if (loader::is_published(netns) && netns.inum == arena.netns.inode()) total += trace::to_counters(netns.total);
  }
  CHECK(total.created() == kBuckets);
  CHECK(total.refused() == 0);
  CHECK(tracer->stats().buckets_full >= kBuckets - 2);
  CHECK(tracer->stats().sockets_full == 0);
}

// The estimate includes structures of the kernel. Their sizes differ a little between versions.
TEST_CASE("the maps cost what they are estimated to cost", "[capacity]") {
  if (!privileged() || !map_costs_known()) return;
  loader::TracerOptions options;
  if (GENERATE(false, true)) options.sizes = loader::least(options.sizes);
  auto tracer = open_tracer(options, {"growing-maps"});
  INFO((tracer ? std::string() : tracer.error().what));
  REQUIRE(tracer);
  const auto cpus = kernel::possible_cpus();
  REQUIRE(cpus);
  const double estimated =
      static_cast<double>(loader::kernel_bytes(options.sizes, static_cast<std::uint32_t>(cpus->size())));
  CHECK(static_cast<double>(map_bytes(::getpid())) == Approx(estimated).epsilon(0.03));
}

TEST_CASE("maps that grow cost half of the estimate before there is much in them", "[capacity]") {
  if (!privileged() || !map_costs_known()) return;
  const auto features = loader::probe_features("", {});
  REQUIRE(features);
  if (!features->growing_maps) return mark_skipped("this kernel's maps do not grow");
  const auto bytes = [](const std::set<std::string>& no_features) {
    const auto tracer = open_tracer({}, no_features);
    INFO((tracer ? std::string() : tracer.error().what));
    REQUIRE(tracer);
    return map_bytes(::getpid());
  };
  CHECK(10 * bytes({}) < 6 * bytes({"growing-maps"}));
}

TEST_CASE("a row that stands for no process has no name, whoever has given its place back", "[capacity]") {
  if (!privileged()) return;
  Arena arena(Sysctls{{"tcp_fin_timeout", "120"}});
  arena.spec = {"closed-before-start", 7, 5025};
  Workload workload(arena.spec, arena.netns);
  workload.wait_held();
  auto tracer = open_tracer();
  INFO((tracer ? std::string() : tracer.error().what));
  REQUIRE(tracer);
  name_free_rows(::getpid(), "innocent");
  tracer->set_enabled(true);
  workload.go_on();
  workload.finish();
  tracer->set_enabled(false);

  std::uint64_t remembered = 0;
  for (const tw_row& row : tracer->rows()) {
    if (!loader::is_published(row) || row.key.port != 5025) continue;
    CHECK(row.key.attribution == TW_ATTRIBUTION_CGROUP);
    CHECK(std::string(row.comm).empty());
    remembered += trace::to_counters(row.counts).created();
  }
  CHECK(remembered == 7);
}
