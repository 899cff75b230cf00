// SPDX-License-Identifier: Apache-2.0
#include "base/nearest.hpp"

#include <array>
#include <string>

#include "support/catch.hpp"

using namespace twtrace::base;

namespace {

constexpr std::array<std::string_view, 6> kGroups = {"process", "pid", "service", "port", "peer", "netns"};

}  // namespace

TEST_CASE("a letter too few, too many, wrong or swapped is near") {
  CHECK(nearest("proces", kGroups) == "process");
  CHECK(nearest("serviice", kGroups) == "service");
  CHECK(nearest("pod", kGroups) == "pid");
  CHECK(nearest("pdi", kGroups) == "pid");
  CHECK(nearest("netsn", kGroups) == "netns");
}

TEST_CASE("one mistake for three letters, and no more") {
  CHECK(nearest("srvce", kGroups) == "service");
  CHECK(nearest("sevcie", kGroups) == "service");
  CHECK(nearest("srve", kGroups).empty());
  CHECK(nearest("foo", kGroups).empty());
  CHECK(nearest("x", kGroups).empty());
}

TEST_CASE("case does not matter, and a beginning is enough") {
  CHECK(nearest("PID", kGroups) == "pid");
  CHECK(nearest("Serv", kGroups) == "service");
  CHECK(nearest("s", kGroups).empty());
}

TEST_CASE("the last part of a name is enough") {
  constexpr std::array<std::string_view, 3> kCounts = {"resets_felt", "queue_drops", "no_port"};
  CHECK(nearest("felt", kCounts) == "resets_felt");
  CHECK(nearest("DROPS", kCounts) == "queue_drops");
  CHECK(nearest("port", kCounts) == "no_port");
  CHECK(nearest("ops", kCounts).empty());
}

TEST_CASE("the nearest wins, of equally near ones the first") {
  constexpr std::array<std::string_view, 3> kColumns = {"created/s", "created", "overflow"};
  CHECK(nearest("creatd", kColumns) == "created");
  CHECK(nearest("createds", kColumns) == "created/s");
  CHECK(nearest("port", std::array<std::string_view, 2>{"sort", "fort"}) == "sort");
}

TEST_CASE("nothing, very much and strange bytes are near to nothing") {
  CHECK(nearest("", kGroups).empty());
  CHECK(nearest(std::string(100'000, 'p'), kGroups).empty());
  CHECK(nearest("\xff\xfe", kGroups).empty());
  CHECK(nearest("pid", {}).empty());
}

TEST_CASE("the beginning of a hint") {
  CHECK(did_you_mean("pide", kGroups) == "did you mean \"pid\"? ");
  CHECK(did_you_mean("bogus", kGroups).empty());
  CHECK(expected_one_of("pide", kGroups) ==
        "did you mean \"pid\"? expected one of process, pid, service, port, peer, netns");
  CHECK(expected_one_of("", kGroups) == "expected one of process, pid, service, port, peer, netns");
}
