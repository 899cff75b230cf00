// SPDX-License-Identifier: Apache-2.0
#include "bpf/families.hpp"

#include "bpf/expect.hpp"
#include "support/catch.hpp"
#include "support/twtrace_run.hpp"

namespace twtrace::test {

Families::Families(const WorkloadSpec& common, const Sysctls& sysctls, const std::array<int, 3>& counts) {
  constexpr std::array kNames = {"4", "6", "mapped"};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    WorkloadSpec& spec = arenas.emplace_back(std::make_unique<Arena>(sysctls))->spec;
    spec = common;
    spec.family = kNames.at(i);
    spec.count = counts.at(i);
    spec.server_cgroup = &server_cgroup;
    spec.client_cgroup = &client_cgroup;
  }
}

void Families::run_workloads() {
  for (const auto& arena : arenas) arena->run();
}

void Families::check_all(const nlohmann::json& snapshot) const {
  for (const auto& arena : arenas) {
    CHECK(number(namespace_entry(snapshot, arena->netns), "created") == number(arena->workload, "buckets"));
    check_everything(snapshot, *arena);
  }
}

nlohmann::json Families::run() {
  TwtraceRun& twtrace = shared_twtrace();
  run_workloads();
  return twtrace.fresh();
}

}  // namespace twtrace::test
