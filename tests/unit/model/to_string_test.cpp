// SPDX-License-Identifier: Apache-2.0

#include <string>

#include "model/snapshot.hpp"
#include "support/catch.hpp"

using namespace twtrace::model;

// These words are part of the JSON contract. Changing them breaks its readers.
TEST_CASE("enumerators have the words of the contract") {
  const auto words = [](auto... values) { return ((std::string(to_string(values)) + ' ') + ...); };
  CHECK(words(Group::kProcess, Group::kPid, Group::kService, Group::kPort, Group::kPeer, Group::kNetns) ==
        "process pid service port peer netns ");
  CHECK(words(Role::kServer, Role::kClient) == "server client ");
  CHECK(words(Attribution::kCloser, Attribution::kCgroup, Attribution::kNone) == "closer cgroup none ");
  using Kind = Event::Kind;
  CHECK(words(Kind::kCreated, Kind::kOverflow, Kind::kNoMemory, Kind::kRemoved, Kind::kNoPort) ==
        "created overflow no_memory removed no_port ");
  CHECK(words(Kind::kResetSent, Kind::kResetReceived, Kind::kResetFelt, Kind::kQueueDrop) ==
        "reset_sent reset_received reset_felt queue_drop ");
  CHECK(words(Event::Substate::kFinWait2, Event::Substate::kTimeWait) == "fin_wait2 time_wait ");
  using Reason = Event::Reason;
  CHECK(words(Reason::kUnknown, Reason::kExpired, Reason::kReused, Reason::kRecycled, Reason::kPurged) ==
        "unknown expired reused recycled purged ");
  CHECK(words(Reason::kAvoidable, Reason::kRefused, Reason::kLate, Reason::kAborted, Reason::kClosedPort,
              Reason::kOther) == "avoidable refused late aborted closed_port other ");
}
