// SPDX-License-Identifier: Apache-2.0
#include "kernel/capabilities.hpp"

#include <linux/capability.h>

#include <array>

#include "kernel/lockdown.hpp"
#include "support/catch.hpp"
#include "temp_tree.hpp"

using namespace twtrace::kernel;
using twtrace::base::ErrorCode;

TEST_CASE("the effective set is parsed as hexadecimal") {
  const auto set =
      parse_effective_capabilities("Name:\tx\nCapPrm:\t000001ffffffffff\nCapEff:\t000000c000201000\nCapBnd:\t0\n");
  REQUIRE(set);
  CHECK(set->bits == 0xc000201000);
  CHECK(set->has(CAP_BPF));
  CHECK(set->has(CAP_PERFMON));
  CHECK(set->has(CAP_SYS_ADMIN));
  CHECK(set->has(CAP_NET_ADMIN));
  CHECK_FALSE(set->has(CAP_SYS_PTRACE));
  CHECK_FALSE(set->has(64));
  constexpr std::array<unsigned, 4> kWanted = {CAP_SYS_PTRACE, CAP_BPF, CAP_CHOWN, CAP_PERFMON};
  CHECK(set->missing(kWanted) == std::vector<unsigned>{CAP_SYS_PTRACE, CAP_CHOWN});
}

TEST_CASE("tracing takes CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN for both") {
  const auto set_of = [](std::initializer_list<unsigned> capabilities) {
    CapabilitySet set;
    for (const unsigned capability : capabilities) set.bits |= std::uint64_t{1} << capability;
    return set;
  };
  using Numbers = std::vector<unsigned>;
  CHECK(missing_for_tracing(set_of({}), false) == Numbers{CAP_BPF, CAP_PERFMON});
  CHECK(missing_for_tracing(set_of({CAP_BPF}), false) == Numbers{CAP_PERFMON});
  CHECK(missing_for_tracing(set_of({CAP_BPF, CAP_PERFMON}), false).empty());
  CHECK(missing_for_tracing(set_of({CAP_SYS_ADMIN}), false).empty());
  CHECK(missing_for_tracing(set_of({CAP_SYS_ADMIN}), true) == Numbers{CAP_SYS_RESOURCE});
  CHECK(missing_for_tracing(set_of({CAP_SYS_RESOURCE}), true) == Numbers{CAP_BPF, CAP_PERFMON});
  CHECK(missing_for_tracing(set_of({CAP_BPF, CAP_PERFMON, CAP_SYS_RESOURCE}), true).empty());
}

TEST_CASE("a status without a readable CapEff is invalid") {
  CHECK(parse_effective_capabilities("").error().code == ErrorCode::kInvalid);
  CHECK(parse_effective_capabilities("CapPrm:\t1\n").error().code == ErrorCode::kInvalid);
  CHECK(parse_effective_capabilities("CapEff:\txyz\n").error().code == ErrorCode::kInvalid);
  CHECK(parse_effective_capabilities("CapEff:\n").error().code == ErrorCode::kInvalid);
}

TEST_CASE("the bounding set is read from its own line") {
  const auto set = parse_bounding_capabilities("CapEff:\t000000c000201000\nCapBnd:\t00000000a80425fb\n");
  REQUIRE(set);
  CHECK(set->bits == 0xa80425fbU);  // a default container
  CHECK(parse_bounding_capabilities("CapEff:\t1\n").error().code == ErrorCode::kInvalid);
}

TEST_CASE("the first user namespace has a number of its own") {
  const TempTree tree;
  CHECK(in_first_user_namespace(Procfs(tree / "proc")));  // nobody can tell
  tree.link("proc/self/ns/user", "user:[4026531837]");
  CHECK(in_first_user_namespace(Procfs(tree / "proc")));
  tree.link("proc/self/ns/user", "user:[4026532574]");
  CHECK_FALSE(in_first_user_namespace(Procfs(tree / "proc")));
}

TEST_CASE("capability names are the kernel's") {
  CHECK(capability_name(CAP_CHOWN) == "CAP_CHOWN");
  CHECK(capability_name(CAP_NET_ADMIN) == "CAP_NET_ADMIN");
  CHECK(capability_name(CAP_SYS_PTRACE) == "CAP_SYS_PTRACE");
  CHECK(capability_name(CAP_SYS_ADMIN) == "CAP_SYS_ADMIN");
  CHECK(capability_name(CAP_SYS_RESOURCE) == "CAP_SYS_RESOURCE");
  CHECK(capability_name(CAP_BPF) == "CAP_BPF");
  CHECK(capability_name(CAP_CHECKPOINT_RESTORE) == "CAP_CHECKPOINT_RESTORE");
  CHECK(capability_name(63) == "CAP_63");
}

TEST_CASE("the running process has a readable set") { CHECK(effective_capabilities(Procfs())); }

TEST_CASE("lockdown is the mode in brackets") {
  CHECK(parse_lockdown("[none] integrity confidentiality\n").value() == Lockdown::kNone);
  CHECK(parse_lockdown("none [integrity] confidentiality\n").value() == Lockdown::kIntegrity);
  CHECK(parse_lockdown("none integrity [confidentiality]\n").value() == Lockdown::kConfidentiality);
  for (const char* text : {"", "none", "[", "]none[", "[new] none"}) {
    CAPTURE(text);
    CHECK(parse_lockdown(text).error().code == ErrorCode::kInvalid);
  }
}

TEST_CASE("a kernel without lockdown is not locked down") {
  const TempTree tree;
  CHECK(read_lockdown(tree.root()).error().code == ErrorCode::kNotFound);  // an empty directory: not mounted
  CHECK(read_lockdown(tree.root() / "missing").error().code == ErrorCode::kNotFound);
  tree.file("lsm", "capability\n");
  CHECK(read_lockdown(tree.root()).value() == Lockdown::kNone);
  tree.file("lockdown", "none [integrity] confidentiality\n");
  CHECK(read_lockdown(tree.root()).value() == Lockdown::kIntegrity);
}
