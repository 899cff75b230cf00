// SPDX-License-Identifier: Apache-2.0
// All backends must give the same answer. Those that load here watch the same connections at the same time.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "bpf/expect.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/twtrace_run.hpp"

using namespace twtrace::test;
using nlohmann::json;

namespace {

/// Sets $TWTRACE_PROBE for TwtraceRun, until destruction.
class ProbeChoice {
 public:
  explicit ProbeChoice(const std::string& probe) : before_(environment("TWTRACE_PROBE", "auto")) { set(probe); }
  ProbeChoice(const ProbeChoice&) = delete;
  ProbeChoice& operator=(const ProbeChoice&) = delete;
  ~ProbeChoice() { set(before_); }

 private:
  static void set(const std::string& probe) { setenv("TWTRACE_PROBE", probe.c_str(), 1); }
  std::string before_;
};

struct Backends {
  std::vector<std::string> names;
  std::vector<std::unique_ptr<TwtraceRun>> runs;
  std::string refused;  ///< the errors of the others
};

Backends start_all() {
  Backends backends;
  for (const std::string name : {"fentry", "kprobe", "tracepoint"}) {
    const ProbeChoice choice(name);
    try {
      backends.runs.push_back(std::make_unique<TwtraceRun>());
      backends.names.push_back(name);
    } catch (const std::runtime_error& error) {
      backends.refused += error.what();
    }
  }
  return backends;
}

// In a machine of vmtests, the matrix says which backends have to load.
void check_required(const Backends& backends) {
  std::istringstream required(environment("VM_BACKENDS", ""));
  for (std::string name; required >> name;) {
    INFO(name << ": " << backends.refused);
    CHECK(std::count(backends.names.begin(), backends.names.end(), name) == 1);
  }
}

json pick(const json& from, const std::vector<std::string>& fields) {
  json picked;
  for (const std::string& field : fields) picked[field] = from.at(field);
  return picked;
}

// The fields of each row that do not depend on the moment of the snapshot, sorted.
std::vector<json> comparable_rows(const json& snapshot, const Arena& arena) {
  std::vector<json> rows;
  for (const json& row : rows_of(snapshot, arena.netns)) {
    rows.push_back(pick(row, {"netns", "process", "service", "role", "port", "attribution", "created", "time_wait",
                              "fin_wait2", "overflow", "overflow_time_wait", "overflow_fin_wait2", "no_memory"}));
    rows.back().at("process").erase("exited");
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

json comparable_namespace(const json& snapshot, const Arena& arena) {
  return pick(namespace_entry(snapshot, arena.netns),
              {"netns", "limit", "in_use", "created", "overflow", "no_memory", "kernel", "missed"});
}

// Compares what both backends see. A backend says null for what it cannot see.
void check_removals_agree(const json& left, const json& right, const Arena& arena) {
  for (const std::string field : {"expired", "reused", "recycled", "purged"}) {
    const auto sum = [&](const json& snapshot) {
      return snapshot.at("probe").at("sees_removal") ? json(sum_of(snapshot, arena.netns, field)) : json();
    };
    INFO(field);
    if (!sum(left).is_null() && !sum(right).is_null()) CHECK(sum(left) == sum(right));
  }
}

// Compares what two backends say about a namespace.
void check_same(const json& snapshot, const json& first, const Arena& arena) {
  check_namespace(snapshot, arena);
  CHECK(comparable_rows(snapshot, arena) == comparable_rows(first, arena));
  CHECK(comparable_namespace(snapshot, arena) == comparable_namespace(first, arena));
  check_removals_agree(snapshot, first, arena);
}

}  // namespace

// This runs once per kernel, not once per backend.
TEST_CASE("all backends that load here give the same rows and counts", "[ruler]") {
  if (!privileged()) return;
  Arena arena(Sysctls{{"tcp_max_tw_buckets", "100"}, {"tcp_tw_reuse", "1"}});
  Arena steered(Sysctls{{"tcp_fin_timeout", "120"}});
  const bool steers = steered.netns.steer_softirqs_to(1);
  Backends backends = start_all();
  check_required(backends);
  REQUIRE_FALSE(backends.runs.empty());
  if (backends.runs.size() == 1) return mark_skipped("nothing to compare with: " + backends.refused);
  const CgroupSandbox cgroup("equal");
  arena.run({"syn-recycle", 13, 5027, "4", &cgroup, &cgroup});
  arena.run({"server-first", 31, 5029, "6", &cgroup, &cgroup});
  arena.run({"orphan-fin-wait2", 23, 5031, "mapped", &cgroup, &cgroup});
  arena.run({"half-close", 61, 5033, "4", &cgroup, &cgroup});  // 15 too many
  steered.run({"client-first", 101, 5035, "4", &cgroup, &cgroup, -1, -1, 0});
  std::vector<json> snapshots;
  for (const auto& run : backends.runs) snapshots.push_back(run->stop());

  CHECK(comparable_rows(snapshots[0], arena).size() == 4);
  CHECK(comparable_rows(snapshots[0], steered).size() == 1);
  CHECK(arena.delta().overflow == 15);
  CHECK(steers);
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    INFO(backends.names[i] << " beside " << backends.names[0]);
    CHECK(snapshots[i].at("probe").at("backend") == backends.names[i]);
    check_nothing_lost(snapshots[i]);
    check_same(snapshots[i], snapshots[0], arena);
    check_same(snapshots[i], snapshots[0], steered);
  }
}
