// SPDX-License-Identifier: Apache-2.0
#include "logs/followed_journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/clock.hpp"
#include "base/reap.hpp"
#include "base/whole_io.hpp"
#include "trace/helper_process.hpp"
#include "trace/least_privilege.hpp"

namespace twtrace::logs {
namespace {

constexpr int kPipeBytes = 1 << 20;
constexpr std::size_t kPipeBuffer = std::size_t{64} << 10U;

struct Pipe {
  base::UniqueFd read;
  base::UniqueFd write;
};

base::Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return base::fail_errno(errno, "cannot make a pipe");
  return Pipe{base::UniqueFd(ends[0]), base::UniqueFd(ends[1])};
}

/// In the group that may read the journal (systemd-journald.service(8)). A system without it has journals of the group
/// root. Never root itself: the LogReader becomes nobody, too, and nobody may not end a process of root. Nor may the
/// kernel in its name, when it ends.
trace::Reduction reading_journal() {
  constexpr gid_t kRoot = 0;
  trace::Reduction reduction;
  if (::geteuid() != 0) return reduction;
  const group* readers = ::getgrnam("systemd-journal");
  reduction.account = trace::nobody();
  reduction.account->groups = {readers != nullptr ? readers->gr_gid : kRoot};
  return reduction;
}

/// journalctl must not find signals blocked or ignored.
void restore_signals() {
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// The child: waits for the moment to follow from, on its standard input.
void become_journalctl(const std::string& unit, pid_t parent) {
  ::setpgid(0, 0);  // keys of the terminal are not for it
  std::int64_t since_unix_ms = 0;
  if (!trace::drop_all_but(reading_journal()) || !trace::end_with(parent)) return;
  if (!base::read_all(STDIN_FILENO, reinterpret_cast<char*>(&since_unix_ms), sizeof(since_unix_ms))) return;
  std::vector<std::string> arguments = {
      kJournalctl,
      "--follow",
      "--no-tail",
      "--no-pager",
      "--quiet",
      "--output=export",
      "--output-fields=MESSAGE",
      "--since=" + fmt::format("@{}.{:03}", since_unix_ms / 1000, since_unix_ms % 1000),
      journal_match(unit)};
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  restore_signals();
  ::execvp(kJournalctl, argv.data());
}

}  // namespace

std::string journal_match(const std::string& unit) {
  constexpr const char* kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.-@\\";
  constexpr std::array<std::string_view, 9> kOfProcesses = {".service", ".scope", ".socket", ".mount", ".automount",
                                                            ".swap",    ".timer", ".path",   ".target"};
  const auto ends_unit = [&unit](std::string_view suffix) { return unit.ends_with(suffix); };
  const bool plain = unit.find_first_not_of(kPlain) == std::string::npos;
  if (!plain || ends_unit(".slice") || ends_unit(".device")) return "--unit=" + unit;
  const bool whole = std::any_of(kOfProcesses.begin(), kOfProcesses.end(), ends_unit);
  return "_SYSTEMD_UNIT=" + unit + (whole ? "" : ".service");
}

bool finds_journal(const std::string& root) {
  std::error_code ignored;
  for (const char* directory : {"/run/log/journal", "/var/log/journal"}) {
    // One folder per machine and namespace of journald.
    for (const auto& folder : std::filesystem::directory_iterator(root + directory, ignored)) {
      for (const auto& file : std::filesystem::directory_iterator(folder.path(), ignored)) {
        const bool readable = ::faccessat(AT_FDCWD, file.path().c_str(), R_OK, AT_EACCESS) == 0;
        if (file.path().extension() == ".journal" && readable) return true;
      }
    }
  }
  return false;
}

base::Result<FollowedJournal> FollowedJournal::start(const std::string& unit, int error_fd) {
  auto go = make_pipe();
  auto output = make_pipe();
  if (!go) return tl::unexpected(go.error());
  if (!output) return tl::unexpected(output.error());
  static_cast<void>(::fcntl(output->read.get(), F_SETPIPE_SZ, kPipeBytes));  // more than allowed: stays as it is
  if (::fcntl(output->read.get(), F_SETFL, O_NONBLOCK) != 0) return base::fail_errno(errno, "cannot set up a pipe");
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  const int saved_errno = errno;
  if (pid < 0) return base::fail_errno(saved_errno, "cannot start journalctl");
  if (pid == 0) {
    constexpr int kNotExecuted = 127;
    const bool ready = ::dup2(go->read.get(), STDIN_FILENO) >= 0 && ::dup2(output->write.get(), STDOUT_FILENO) >= 0 &&
                       ::dup2(error_fd, STDERR_FILENO) >= 0 &&
                       ::syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) == 0;
    if (ready) become_journalctl(unit, parent);
    ::_exit(kNotExecuted);
  }
  return FollowedJournal(std::move(go->write), std::move(output->read), pid);
}

FollowedJournal::~FollowedJournal() {
  // Should it not be allowed, waiting would have no end.
  if (pid_ <= 0 || ::kill(pid_, SIGKILL) != 0) return;
  base::reap(pid_);
}

void FollowedJournal::begin(std::int64_t since_unix_ms) {
  const std::string_view bytes(reinterpret_cast<const char*>(&since_unix_ms), sizeof(since_unix_ms));
  static_cast<void>(base::write_all(go_.get(), bytes));  // if it has ended, its output has, too
  go_.reset();
}

void FollowedJournal::look(const TakeDatedLine& take) {
  std::array<char, kPipeBuffer> buffer{};
  for (std::uint64_t done = 0; output_ && done < kMostPerLook;) {
    const ssize_t got = ::read(output_.get(), buffer.data(), buffer.size());
    if (got < 0) return;  // nothing there
    if (got == 0) {
      output_.reset();
      return;
    }
    has_entries_ = true;
    entries_.feed(std::string_view(buffer.data(), static_cast<std::size_t>(got)), take);
    done += static_cast<std::uint64_t>(got);
  }
}

void FollowedJournal::look_until(std::chrono::steady_clock::time_point end, const TakeDatedLine& take) {
  while (output_) {
    const auto left = base::time_left(end);
    if (left.count() == 0) return;
    pollfd readable{output_.get(), POLLIN, 0};
    if (::poll(&readable, 1, static_cast<int>(left.count())) > 0) look(take);
  }
}

model::LogGaps FollowedJournal::gaps() const {
  std::string problem;
  if (!output_) {
    problem = "journalctl ended before the capture did";
  } else if (!has_entries_ && !finds_journal()) {
    problem = "this user cannot read any journal";
  }
  return {entries_.long_lines(), 0, std::move(problem)};
}

}  // namespace twtrace::logs
