// SPDX-License-Identifier: Apache-2.0
// A helper that is held up must not hold up anybody else.
#include "trace/helper_process.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "support/catch.hpp"

using namespace twtrace;
using trace::HelperProcess;
using namespace std::chrono_literals;

namespace {

constexpr auto kLong = 180s;  // the same tests run in emulated machines

/// Says of each question what it was.
void echo(int socket, pid_t /*parent*/) {
  while (auto question = base::receive_fields(socket)) {
    if (!base::send_fields(socket, *question)) return;
  }
}

HelperProcess start(const HelperProcess::Serve& serve) {
  auto started = HelperProcess::start("helper-test", serve);
  REQUIRE(started);
  return std::move(*started);
}

/// Returns once it stands still.
void stop(pid_t pid) {
  REQUIRE(::kill(pid, SIGSTOP) == 0);
  int status = 0;
  REQUIRE(::waitpid(pid, &status, WUNTRACED) == pid);
  REQUIRE(WIFSTOPPED(status));
}

}  // namespace

TEST_CASE("a helper answers, however long the answer is") {
  HelperProcess helper = start(echo);
  for (const base::Fields& question : {base::Fields{"a", ""}, base::Fields{}, base::Fields{std::string(3000, 'x')}}) {
    helper.ask(question);
    CHECK(helper.owes_answer());
    CHECK(helper.answer(kLong) == question);
    CHECK_FALSE(helper.owes_answer());
  }
  const std::string large(2'000'000, 'y');
  HelperProcess talker = start([&](int socket, pid_t) {
    while (base::receive_fields(socket) && base::send_fields(socket, {large})) {
    }
  });
  talker.ask({"say it"});
  CHECK(talker.answer(kLong) == base::Fields{large});
}

TEST_CASE("a helper that stands still is not waited for, and a late answer belongs to its own question") {
  HelperProcess helper = start(echo);
  stop(helper.pid());
  helper.ask({"first"});
  CHECK_FALSE(helper.answer(1ms));
  CHECK(helper.owes_answer());
  CHECK(helper.answers());
  helper.ask({"second"});  // not before it has answered
  CHECK_FALSE(helper.answer(1ms));
  REQUIRE(::kill(helper.pid(), SIGCONT) == 0);
  CHECK(helper.answer(kLong) == base::Fields{"first"});
  CHECK_FALSE(helper.answer(1ms));
  helper.ask({"third"});
  CHECK(helper.answer(kLong) == base::Fields{"third"});
}

TEST_CASE("a helper that stands still is killed in the end") {
  pid_t pid = -1;
  {
    HelperProcess helper = start(echo);
    pid = helper.pid();
    stop(pid);
    helper.ask({"never answered"});
  }
  ::waitpid(pid, nullptr, 0);  // nobody else lets it go on
  CHECK(::kill(pid, 0) != 0);
}

TEST_CASE("a helper that has ended answers nothing") {
  HelperProcess helper = start([](int socket, pid_t) { base::receive_fields(socket); });
  helper.ask({"end"});
  CHECK_FALSE(helper.answer(kLong));
  CHECK_FALSE(helper.answers());
  CHECK_FALSE(helper.owes_answer());
  helper.ask({"again"});
  CHECK_FALSE(helper.answer(kLong));
}

TEST_CASE("a helper that talks nonsense is given up") {
  HelperProcess helper = start([](int socket, pid_t) {
    base::receive_fields(socket);
    constexpr std::array<char, 4> kTooLong{'\x7f', '\x7f', '\x7f', '\x7f'};
    static_cast<void>(!::write(socket, kTooLong.data(), kTooLong.size()));
    base::receive_fields(socket);  // until nobody listens any more
  });
  helper.ask({"well?"});
  CHECK_FALSE(helper.answer(kLong));
  CHECK_FALSE(helper.answers());
}
