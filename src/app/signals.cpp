// SPDX-License-Identifier: Apache-2.0
#include "app/signals.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <ctime>

namespace twtrace::app {
namespace {

constexpr std::array kEnding = {SIGINT, SIGTERM, SIGHUP};
/// How often to act again after a deadline has passed, because a waiting call may begin just after the interruption.
constexpr std::chrono::milliseconds kSecondLook{100};

constexpr std::chrono::nanoseconds kNever{0};

static_assert(std::atomic<int>::is_always_lock_free, "handlers use them");

/// Handlers have no other way to their data.
struct State {
  int reader = -1;  ///< of the pipe that carries signal numbers
  int writer = -1;
  timer_t deadline{};
  sigset_t ending{};                 ///< changes only while no handler runs
  sigset_t told{};                   ///< other signals that the loop gets
  std::atomic<int> waiting{0};       ///< ending signal that the loop has not taken yet
  std::atomic<int> taken{0};         ///< the last one that was taken or passed on
  std::atomic<int> relay{-1};        ///< pidfd of the running command
  std::atomic<int> relayed{0};       ///< number of ending signals passed to that command
  std::atomic<int> unfinished{0};    ///< NoForcedEnd objects
  std::atomic<int> outputs{0};       ///< OutputWait objects
  std::atomic<bool> over{false};     ///< the present OutputWait has given up
  std::atomic<bool> gave_up{false};  ///< some OutputWait has given up
  void (*rescue)() = nullptr;
};
State state;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

/// Keeps handlers from running between steps that belong together.
class Blocked {
 public:
  Blocked() {
    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &before_);
  }
  Blocked(const Blocked&) = delete;
  Blocked& operator=(const Blocked&) = delete;
  ~Blocked() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

void set_deadline(std::chrono::nanoseconds after) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(after);
  const itimerspec spec{{}, {whole.count(), (after - whole).count()}};
  ::timer_settime(state.deadline, 0, &spec, nullptr);
}

void unblock(int number) {
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, number);
  ::sigprocmask(SIG_UNBLOCK, &one, nullptr);
}

[[noreturn]] void end_by_force(int number) {
  if (state.rescue != nullptr) state.rescue();
  std::signal(number, SIG_DFL);
  ::raise(number);
  unblock(number);
  ::_exit(128 + number);
}

void on_deadline() {
  const int waiting = state.waiting;
  if (state.relay < 0) {
    if (state.outputs > 0) {
      state.over = state.gave_up = true;
    } else if (waiting != 0 && state.unfinished == 0) {
      end_by_force(waiting);
    }
  }
  set_deadline(kSecondLook);
}

/// A command that has ended will be reaped soon, so signals that come now are for us.
bool is_running(int command) {
  pollfd watched{command, POLLIN, 0};
  return command >= 0 && ::poll(&watched, 1, 0) == 0;
}

void pass_on(int command, int number, bool typed) {
  if (is_ending(number)) {
    ++state.relayed;
    state.taken = number;
  }
  if (!typed) ::syscall(SYS_pidfd_send_signal, command, number, nullptr, 0);
}

/// A full pipe has thousands of signals, so one more does not matter.
void tell(int number) {
  if (::write(state.writer, &number, sizeof(number)) < 0) return;
}

void on_signal(int number, siginfo_t* info, void* /*context*/) {
  const int saved_errno = errno;
  const int command = state.relay;
  if (number == SIGALRM && info->si_code == SI_TIMER) {
    on_deadline();
  } else if (is_running(command)) {
    pass_on(command, number, info->si_code == SI_KERNEL);
    if (number == SIGTSTP) stop_by(number);
  } else if (is_ending(number)) {
    tell(number);
    if (state.waiting.exchange(number) == 0) set_deadline(kPatience);
  } else if (sigismember(&state.told, number) != 0) {
    tell(number);
  } else if (number == SIGTSTP) {
    stop_by(number);
  }
  errno = saved_errno;
}

void handle(int number, int flags) {
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | flags;
  ::sigaction(number, &action, nullptr);
}

void take_over(int number) {
  handle(number, SA_RESTART);
  unblock(number);
}

/// The user wants this process to go on without a terminal: nohup(1).
bool is_ignored(int number) {
  struct sigaction action {};
  return ::sigaction(number, nullptr, &action) == 0 && (action.sa_flags & SA_SIGINFO) == 0 &&
         action.sa_handler == SIG_IGN;
}

/// Faults of the process itself, which must end it.
bool is_own(int number) {
  constexpr std::array kOwn = {SIGKILL, SIGSTOP, SIGCHLD, SIGPIPE, SIGXFSZ, SIGXCPU, SIGTTIN, SIGTTOU,
                               SIGILL,  SIGTRAP, SIGABRT, SIGBUS,  SIGFPE,  SIGSEGV, SIGSYS};
  for (const int own : kOwn) {
    if (number == own) return true;
  }
  return false;
}

}  // namespace

void prepare_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  if (is_ignored(SIGINT)) std::signal(SIGINT, SIG_DFL);
  for (const int number : kEnding) unblock(number);
}

base::Result<void> take_signals_over() {
  if (state.reader >= 0) return {};
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return base::fail_errno(errno, "cannot wait for signals");
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGALRM;
  if (::timer_create(CLOCK_MONOTONIC, &event, &state.deadline) != 0) {
    return base::fail_errno(errno, "cannot make a timer");
  }
  state.reader = ends[0];
  state.writer = ends[1];
  sigemptyset(&state.told);
  sigemptyset(&state.ending);
  take_over(SIGALRM);
  for (const int number : kEnding) {
    if (is_ignored(number)) continue;
    sigaddset(&state.ending, number);
    take_over(number);
  }
  return {};
}

void take_signals_over(std::initializer_list<int> others) {
  for (const int number : others) {
    sigaddset(&state.told, number);
    take_over(number);
  }
}

void take_signals_for_command() {
  if (!is_ignored(SIGQUIT)) sigaddset(&state.ending, SIGQUIT);
  for (int number = 1; number <= SIGRTMAX; ++number) {
    if (!is_own(number) && !is_ignored(number)) take_over(number);
  }
}

int signal_fd() { return state.reader; }

int next_signal() {
  int number = 0;
  if (::read(state.reader, &number, sizeof(number)) != sizeof(number)) return 0;
  if (is_ending(number)) {
    const Blocked blocked;
    set_deadline(kNever);
    state.waiting = 0;
    state.taken = number;
  }
  return number;
}

bool is_ending(int number) { return sigismember(&state.ending, number) == 1; }

bool end_is_asked() { return state.waiting != 0; }

void stop_by(int number) {
  struct sigaction before {};
  struct sigaction stop {};
  stop.sa_handler = SIG_DFL;
  ::sigaction(number, &stop, &before);
  ::raise(number);
  sigset_t one;
  sigset_t mask;
  sigemptyset(&one);
  sigaddset(&one, number);
  ::sigprocmask(SIG_UNBLOCK, &one, &mask);  // stops here at the latest
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  ::sigaction(number, &before, nullptr);
}

SignalRelay::SignalRelay(int pidfd) {
  const Blocked blocked;
  state.relayed = 0;
  for (int number = next_signal(); number != 0; number = next_signal()) pass_on(pidfd, number, false);
  state.relay = pidfd;
}
SignalRelay::~SignalRelay() { state.relay = -1; }
int SignalRelay::ending_signals() const { return state.relayed; }

NoForcedEnd::NoForcedEnd() { ++state.unfinished; }
NoForcedEnd::~NoForcedEnd() { --state.unfinished; }

OutputWait::OutputWait() {
  if (state.reader < 0) return;  // nothing is taken over, so signals end the process by themselves
  const Blocked blocked;
  ++state.outputs;
  state.over = false;
  handle(SIGALRM, 0);  // interrupts
  if (state.waiting == 0 && state.taken != 0) set_deadline(state.gave_up ? kSecondLook : kPatience);
}
OutputWait::~OutputWait() {
  if (state.reader < 0) return;
  const Blocked blocked;
  --state.outputs;
  handle(SIGALRM, SA_RESTART);
  if (state.waiting == 0 && state.taken != 0) set_deadline(kNever);
}
bool OutputWait::is_over() const { return state.over; }

ForcedEnd::ForcedEnd() {
  const Blocked blocked;
  if (state.waiting != 0 || state.taken == 0) return;
  state.waiting = state.taken.load();
  set_deadline(kPatience);
}
ForcedEnd::~ForcedEnd() {
  const Blocked blocked;
  if (state.waiting == 0) return;
  state.waiting = 0;
  set_deadline(kNever);
}

void die_if_output_was_given_up() {
  if (state.gave_up) end_by_force(state.waiting != 0 ? state.waiting : state.taken);
}

void set_rescue(void (*rescue)()) { state.rescue = rescue; }

}  // namespace twtrace::app
