// SPDX-License-Identifier: Apache-2.0
#include "export/otlp_push.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/reap.hpp"
#include "base/whole_io.hpp"
#include "export/otlp_poster.hpp"

namespace twtrace::exporter {
namespace {

constexpr int kPipeBytes = 1 << 20;  // the most that an ordinary user may ask for by default
constexpr std::uint64_t kMostBytes = 1ULL << 30;

std::optional<std::string> read_document(int fd) {
  std::uint64_t size = 0;
  if (!base::read_all(fd, reinterpret_cast<char*>(&size), sizeof(size)) || size > kMostBytes) return std::nullopt;
  std::string document(size, '\0');
  if (!base::read_all(fd, document.data(), document.size())) return std::nullopt;
  return document;
}

/// Each kind of failure is reported once, until everything is taken again.
void push_all(OtlpPoster& poster, int fd) {
  std::set<long> said;  // statuses
  while (const auto document = read_document(fd)) {
    const OtlpAnswer answer = poster.post(*document);
    if (answer.complaint.empty()) {
      if (!said.empty()) spdlog::info("metrics are pushed again");
      said.clear();
    } else if (said.insert(answer.status).second) {
      base::log_error({base::ErrorCode::kFailure, 0, answer.complaint, {}});
    }
  }
}

int ms_until(OtlpPush::Deadline deadline) { return static_cast<int>(base::time_left(deadline).count()); }

/// `status`: as of waitpid(2).
base::Error ending_of(int status) {
  const std::string how = WIFSIGNALED(status) ? fmt::format("was killed by signal {}", WTERMSIG(status))
                                              : fmt::format("ended with exit code {}", WEXITSTATUS(status));
  return base::Error{base::ErrorCode::kFailure, 0, "the process that pushes metrics " + how, {}};
}

/// The parent decides when it ends: a signal to the group or the unit reaches both.
void leave_signals_to_parent(pid_t parent) {
  sigset_t ending;
  sigemptyset(&ending);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP}) sigaddset(&ending, number);
  ::sigprocmask(SIG_BLOCK, &ending, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
}

}  // namespace

OtlpPush::OtlpPush(pid_t child, base::UniqueFd child_fd, base::UniqueFd pipe)
    : child_(child), child_fd_(std::move(child_fd)), pipe_(std::move(pipe)) {}

base::Result<OtlpPush> OtlpPush::start(const OtlpSettings& settings,
                                       const std::function<base::Result<void>()>& confine) {
  auto poster = OtlpPoster::create(settings);
  if (!poster) return tl::unexpected(poster.error());
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return base::fail_errno(errno, "cannot make a pipe");
  base::UniqueFd reader(ends[0]);
  base::UniqueFd writer(ends[1]);
  ::fcntl(writer.get(), F_SETPIPE_SZ, kPipeBytes);  // a smaller one takes more turns
  ::fcntl(writer.get(), F_SETFL, O_NONBLOCK);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  const int fork_errno = errno;
  if (child < 0) return base::fail_errno(fork_errno, "cannot start the process that pushes metrics");
  if (child == 0) {
    writer.reset();
    const auto confined = confine();
    leave_signals_to_parent(parent);  // behind the change of the user, which forgets the parent's death
    if (confined) push_all(**poster, reader.get());
    if (!confined) base::log_error(confined.error());
    ::_exit(confined ? 0 : 1);
  }
  base::UniqueFd child_fd(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  if (!child_fd) return base::fail_errno(errno, "cannot watch the process that pushes metrics");
  return OtlpPush(child, std::move(child_fd), std::move(writer));
}

OtlpPush::~OtlpPush() {
  if (!pipe_) return;  // moved from, or finished
  flush();
  pipe_.reset();
  wait_until(std::chrono::steady_clock::now() + kFarewell);
}

bool OtlpPush::flush() {
  while (sent_ < rest_.size()) {
    const ssize_t count = ::write(pipe_.get(), rest_.data() + sent_, rest_.size() - sent_);
    if (count < 0 && errno == EPIPE) return true;  // the child has ended, as child_fd() says
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) sent_ += static_cast<std::size_t>(count);
  }
  return true;
}

bool OtlpPush::flush_until(Deadline deadline) {
  while (!flush()) {
    pollfd room{pipe_.get(), POLLOUT, 0};
    if (::poll(&room, 1, ms_until(deadline)) == 0) return false;
  }
  return true;
}

/// The status of the child as of waitpid(2). A child that takes longer is killed, and has none.
std::optional<int> OtlpPush::wait_until(Deadline deadline) {
  pollfd ended{child_fd_.get(), POLLIN, 0};
  const bool has_ended = ::poll(&ended, 1, ms_until(deadline)) == 1;
  // It may be another user's. Then nobody waits: it ends by itself after its request, because the pipe is closed.
  if (!has_ended && ::kill(child_, SIGKILL) != 0) return std::nullopt;
  const int status = base::reap(child_).value_or(0);
  return has_ended ? std::optional(status) : std::nullopt;
}

base::Error OtlpPush::ended() {
  pipe_.reset();
  return ending_of(base::reap(child_).value_or(0));
}

base::Result<void> OtlpPush::finish(const std::string& document, Deadline deadline) {
  const bool handed_on = flush_until(deadline) && send(document) && flush_until(deadline);
  pipe_.reset();
  const auto status = wait_until(deadline);
  if (!handed_on || !status) {
    return base::fail(base::ErrorCode::kFailure, "the last metrics were not pushed: the receiver took too long");
  }
  if (*status != 0) return tl::unexpected(ending_of(*status));
  return {};
}

bool OtlpPush::send(const std::string& document) {
  if (!flush()) return false;
  const std::uint64_t size = document.size();
  rest_.assign(reinterpret_cast<const char*>(&size), sizeof(size));
  rest_ += document;
  sent_ = 0;
  flush();
  return true;
}

}  // namespace twtrace::exporter
