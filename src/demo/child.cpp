// SPDX-License-Identifier: Apache-2.0
#include "demo/child.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "base/reap.hpp"
#include "demo/cgroups.hpp"

namespace twtrace::demo {
namespace {

/// A reader of twtrace's output must see its end when twtrace ends, and a terminal is not ours to write to.
void leave_terminal() {
  const base::UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (!null || ::dup2(null.get(), fd) < 0) ::close(fd);
  }
}

base::Result<Work> prepare(const Plan& plan) {
  ::prctl(PR_SET_NAME, plan.comm.c_str());
  leave_terminal();
  if (!plan.cgroup.empty()) {
    if (auto joined = join_cgroup(plan.cgroup); !joined) return tl::unexpected(joined.error());
  }
  if (plan.netns_fd >= 0) {
    const int result = ::setns(plan.netns_fd, CLONE_NEWNET);
    const int saved_errno = errno;
    if (result != 0) return base::fail_errno(saved_errno, "cannot enter the demo's namespace");
  }
  auto work = plan.prepare();
  if (!work || !plan.reduce) return work;
  if (auto reduced = plan.reduce(); !reduced) return tl::unexpected(reduced.error());
  return work;
}

/// The code and the hint have one line each. The text follows.
std::string serialized(const base::Error& error) {
  return std::to_string(static_cast<int>(error.code)) + '\n' + error.hint + '\n' + error.what;
}

base::Error deserialized(const std::string& text) {
  const std::size_t first = text.find('\n');
  const std::size_t second = first == std::string::npos ? first : text.find('\n', first + 1);
  if (second == std::string::npos) return {base::ErrorCode::kFailure, 0, "a process of the demo ended early", ""};
  const auto code = static_cast<base::ErrorCode>(std::atoi(text.c_str()));
  return {code, 0, text.substr(second + 1), text.substr(first + 1, second - first - 1)};
}

/// Another user's process loses the bond.
void end_with(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // the parent ended before the line above
}

/// The exit code. What the work owns is gone on return.
int prepare_and_work(const Plan& plan, pid_t parent, Pipe& report, const Pipe& start) {
  const auto work = prepare(plan);
  if (plan.reduce) end_with(parent);
  const std::string text = work ? "ready" : serialized(work.error());
  if (::write(report.writer.get(), text.c_str(), text.size() + 1) < 0 || !work) return 1;
  report.writer.reset();
  char byte = 0;
  if (::read(start.reader.get(), &byte, 1) == 1) (*work)();
  return 0;
}

[[noreturn]] void live(const Plan& plan, pid_t parent, Pipe report, Pipe start) {
  // Signals from the terminal are for twtrace. This process has inherited its handlers.
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  end_with(parent);
  start.writer.reset();
  ::_exit(prepare_and_work(plan, parent, report, start));
}

/// What the child had to say: up to a NUL, because children of the child may hold the other end open, or until it
/// ended.
std::string read_report(int fd) {
  std::string text;
  std::array<char, 512> buffer{};
  while (true) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    const int saved_errno = errno;
    if (got > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
      if (text.back() == '\0') return text.substr(0, text.size() - 1);
    } else if (got == 0 || saved_errno != EINTR) {
      return text;
    }
  }
}

}  // namespace

base::Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  const int result = ::pipe2(ends.data(), O_CLOEXEC);
  const int saved_errno = errno;
  if (result != 0) return base::fail_errno(saved_errno, "cannot make a pipe");
  return Pipe{base::UniqueFd(ends[0]), base::UniqueFd(ends[1])};
}

base::Result<Child> Child::spawn(const Plan& plan) {
  auto report = make_pipe();
  if (!report) return tl::unexpected(report.error());
  auto start = make_pipe();
  if (!start) return tl::unexpected(start.error());
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  const int saved_errno = errno;
  if (pid < 0) return base::fail_errno(saved_errno, "cannot start a process of the demo");
  if (pid == 0) live(plan, parent, std::move(*report), std::move(*start));
  Child child(pid, std::move(start->writer));
  report->writer.reset();
  const std::string text = read_report(report->reader.get());
  if (text != "ready") return tl::unexpected(deserialized(text));
  return child;
}

void Child::start() {
  if (start_ && ::write(start_.get(), "g", 1) == 1) start_.reset();
}

void Child::let_end() {
  start_.reset();
  if (pid_ > 0) base::reap(pid_);
  pid_ = -1;
}

Child::~Child() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  let_end();
}

}  // namespace twtrace::demo
