// SPDX-License-Identifier: Apache-2.0
#include "trace/resources.hpp"

#include <sys/resource.h>

#include <cerrno>

#include "support/catch.hpp"

using namespace twtrace;
using namespace twtrace::trace;

namespace {

constexpr std::uint64_t kMiB = 1U << 20U;
constexpr std::uint32_t kCpus = 2;

kernel::MemoryRoom room(std::uint64_t limit_mib, std::uint64_t used_mib) {
  return {"/sys/fs/cgroup/x/memory.max", limit_mib * kMiB, (limit_mib - used_mib) * kMiB};
}

}  // namespace

TEST_CASE("without a limit, or with enough, maps are as wanted") {
  loader::MapSizes wanted;
  wanted.buckets = 163840;
  CHECK(plan_maps(wanted, std::nullopt, kCpus) == MapPlan{wanted, ""});
  CHECK(plan_maps(wanted, room(512, 100), kCpus) == MapPlan{wanted, ""});
}

TEST_CASE("64 MiB take smaller maps, and which is said") {
  const auto plan = plan_maps({}, room(64, 3), kCpus);
  REQUIRE(plan);
  CHECK(plan->sizes.rows == 16384);
  CHECK(loader::kernel_bytes(plan->sizes, kCpus) < 29 * kMiB);
  CHECK(plan->notice ==
        "/sys/fs/cgroup/x/memory.max leaves 61.0MiB of memory: maps hold only 16,384 owners, 4,096 namespaces, 4,096 "
        "cgroups, 16,384 sockets, 16,384 buckets, 1.0MiB of event ring; what does not fit is counted "
        "without its owner");
}

TEST_CASE("32 MiB are too little, and what suffices is said") {
  const auto refused = plan_maps({}, room(32, 1), kCpus);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == base::ErrorCode::kUnsupported);
  CHECK(refused.error().what ==
        "tracing needs 38.2MiB of memory, but /sys/fs/cgroup/x/memory.max leaves 31.0MiB of 32.0MiB");
  CHECK(refused.error().hint == "raise that limit to 40M: MemoryMax=40M in a unit, --memory=40m for a container");
  CHECK(plan_maps({}, room(40, 1), kCpus));
}

TEST_CASE("a limit of the address space is named when there is no memory, and only then") {
  base::Error no_memory{base::ErrorCode::kFailure, ENOMEM, "cannot map BPF array rows", ""};
  base::Error other{base::ErrorCode::kFailure, EPERM, "cannot map BPF array rows", ""};
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_AS, &before) == 0);
  if (before.rlim_cur == RLIM_INFINITY) {
    name_address_space_limit(no_memory);
    CHECK(no_memory.hint.empty());
  }
  const rlimit much{rlim_t{1} << 60U, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_AS, &much) == 0);
  name_address_space_limit(no_memory);
  name_address_space_limit(other);
  CHECK(::setrlimit(RLIMIT_AS, &before) == 0);
  CHECK(no_memory.hint.find("RLIMIT_AS") != std::string::npos);
  CHECK(no_memory.hint.find("ulimit -v unlimited") != std::string::npos);
  CHECK(other.hint.empty());
}
