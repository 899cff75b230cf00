// SPDX-License-Identifier: Apache-2.0
#include "trace/name_messages.hpp"

#include "support/catch.hpp"

using namespace twtrace;
using namespace twtrace::trace;

namespace {

const kernel::ContainerQuery kQuery{"0123", "/a\nb\0c", "k8s.io", "pod", 1000, std::nullopt};

}  // namespace

TEST_CASE("questions and answers survive the way") {
  const auto query = container_query(fields_of(kQuery));
  REQUIRE(query);
  CHECK(query->id == kQuery.id);
  CHECK(query->cgroup == kQuery.cgroup);
  CHECK(query->containerd_namespace == kQuery.containerd_namespace);
  CHECK(query->pod_uid == kQuery.pod_uid);
  CHECK(query->uid == 1000U);
  CHECK_FALSE(query->pid);
  CHECK_FALSE(container_query({"0123"}));

  const kernel::ContainerFacts facts{"docker", "web", {"ns", "pod", "uid"}, true};
  CHECK(container_facts(fields_of(facts)) == facts);
  CHECK(container_facts(fields_of(std::nullopt)).value() == std::nullopt);
  CHECK_FALSE(container_facts({"docker"}));

  const std::map<std::uint32_t, kernel::NetnsRef> found{{7, {7, "blue", 12, "/proc/12/ns/net"}},
                                                        {9, {9, "", std::nullopt, "/run/netns/x"}}};
  CHECK(namespaces(fields_of(found)) == found);
  CHECK(namespaces({}) == std::map<std::uint32_t, kernel::NetnsRef>());
  CHECK_FALSE(namespaces({"7", "blue"}));
  CHECK_FALSE(namespaces({"x", "", "", ""}));
}
