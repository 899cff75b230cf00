// SPDX-License-Identifier: Apache-2.0
#include "output/event_text.hpp"

#include <limits>
#include <string>

#include "support/catch.hpp"
#include "support/snapshots.hpp"

using namespace twtrace;
using output::event_text;
using output::EventTextOptions;
using output::TimeStamp;

TEST_CASE("event lines, golden, with each kind of time") {
  const std::string rest =
      "overflow       fin_wait2  worker.service/redis-worker[812] client:6379 10.0.0.1:4242 -> 10.0.0.2:6379 host";
  EventTextOptions options;
  CHECK(event_text(test::event(), options) == "03:04:05.678 " + rest);
  options.time = TimeStamp::kNone;
  CHECK(event_text(test::event(), options) == rest);
  CHECK(output::event_text_header(options) == "EVENT          STAGE      OWNER ROLE:PORT LOCAL -> REMOTE NETNS DETAIL");
  options.time = TimeStamp::kRelative;
  options.start_unix_ms = test::kTime - 12345;
  CHECK(event_text(test::event(), options) == "      12.345 " + rest);
  options.start_unix_ms = std::numeric_limits<std::int64_t>::min();
  CHECK(event_text(test::event(), options).find(rest) != std::string::npos);
}

TEST_CASE("titles stand above their fields") {
  for (const TimeStamp time : {TimeStamp::kNone, TimeStamp::kWallClock, TimeStamp::kRelative}) {
    EventTextOptions options;
    options.time = time;
    options.start_unix_ms = test::kTime;
    const std::string header = output::event_text_header(options);
    const std::string line = event_text(test::event(), options);
    CHECK(header.find("EVENT") == line.find("overflow"));
    CHECK(header.find("STAGE") == line.find("fin_wait2"));
    CHECK(header.find("OWNER") == line.find("worker.service"));
  }
}

TEST_CASE("a removal tells its reason and age") {
  model::Event event = test::event();
  event.kind = model::Event::Kind::kRemoved;
  event.reason = model::Event::Reason::kExpired;
  event.age_s = 60.04;
  const std::string line = event_text(event, {});
  CHECK(line.substr(line.size() - 19) == " host expired 60.0s");
  event.reason = model::Event::Reason::kUnknown;
  event.age_s.reset();
  CHECK(event_text(event, {}).find("host - -") != std::string::npos);
}

TEST_CASE("a reset has no stage, and tells its reason if it was sent, and drops tell how many") {
  using Kind = model::Event::Kind;
  EventTextOptions options;
  options.time = TimeStamp::kNone;
  model::Event event = test::event();
  const std::string rest =
      " -          worker.service/redis-worker[812] client:6379 10.0.0.1:4242 -> 10.0.0.2:6379 host";
  event.kind = Kind::kResetFelt;
  CHECK(event_text(event, options) == "reset_felt    " + rest);
  event.kind = Kind::kResetReceived;
  CHECK(event_text(event, options) == "reset_received" + rest);
  event.kind = Kind::kResetSent;
  event.reason = model::Event::Reason::kClosedPort;
  CHECK(event_text(event, options) == "reset_sent    " + rest + " closed_port");
  event.reason = model::Event::Reason::kUnknown;
  event.kind = Kind::kQueueDrop;
  event.count = 31;
  CHECK(event_text(event, options) == "queue_drop    " + rest + " 31 dropped");
}

TEST_CASE("what is unknown is a dash, what is known by cgroup is marked") {
  EventTextOptions options;
  options.time = TimeStamp::kNone;
  CHECK(event_text(model::Event{}, options) == "created        time_wait  - -:- -:- -> -:- -");
  model::Event event = test::event();
  event.process.reset();
  event.attribution = model::Attribution::kCgroup;
  event.netns_name.clear();
  event.local_address = "2001:db8::1";
  CHECK(event_text(event, options) ==
        "overflow       fin_wait2  ~worker.service client:6379 [2001:db8::1]:4242 -> 10.0.0.2:6379 4026531840");
}

TEST_CASE("hostile names stay one visible line") {
  model::Event event = test::event();
  event.process->comm = "a\nb\x1b[2J\xff";
  event.service.name = "\u202esvc";
  event.netns_name = "\r";
  const std::string line = event_text(event, {});
  CHECK(line.find("\\u{202E}svc/a\\x0Ab\\x1B[2J\\xFF[812]") != std::string::npos);
  for (const char c : line) {
    if (static_cast<unsigned char>(c) < 0x20) FAIL("control character in an event line");
  }
}

TEST_CASE("refusals and those who are hurt are red when colour is on, other events are not") {
  EventTextOptions options;
  options.color = output::Color::kAlways;
  model::Event event = test::event();
  CHECK(event_text(event, options).substr(0, 5) == "\x1b[31m");
  event.kind = model::Event::Kind::kNoMemory;
  CHECK(event_text(event, options).substr(0, 5) == "\x1b[31m");
  for (const auto kind :
       {model::Event::Kind::kNoPort, model::Event::Kind::kResetFelt, model::Event::Kind::kQueueDrop}) {
    event.kind = kind;
    CHECK(event_text(event, options).substr(0, 5) == "\x1b[31m");
  }
  event.kind = model::Event::Kind::kResetSent;
  event.reason = model::Event::Reason::kAvoidable;
  CHECK(event_text(event, options).substr(0, 5) == "\x1b[31m");
  event.reason = model::Event::Reason::kAborted;
  CHECK(event_text(event, options).find('\x1b') == std::string::npos);
  for (const auto kind : {model::Event::Kind::kCreated, model::Event::Kind::kResetReceived}) {
    event.kind = kind;
    event.reason = model::Event::Reason::kUnknown;
    CHECK(event_text(event, options).find('\x1b') == std::string::npos);
  }
}
