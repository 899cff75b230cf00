// SPDX-License-Identifier: Apache-2.0
#include "app/command_process.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace twtrace::app {
namespace {

constexpr int kFailed = 125;
constexpr int kNotExecutable = 126;
constexpr int kNotFound = 127;
constexpr const char* kDefaultPath = "/bin:/usr/bin";  // as in execvp(3)

tl::unexpected<NotRun> not_run(int exit_code, int saved_errno, const std::string& what, const std::string& hint) {
  return tl::unexpected(NotRun{exit_code, base::fail_errno(saved_errno, what, hint).value()});
}

tl::unexpected<NotRun> not_executed(int saved_errno, const std::string& name) {
  if (saved_errno == ENOENT) {
    return not_run(kNotFound, saved_errno, "cannot run " + name, "name a command that exists");
  }
  return not_run(kNotExecutable, saved_errno, "cannot run " + name, "name an executable program or script");
}

/// 0 if it may be executed, otherwise the errno that says why not.
int why_not_executable(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return errno;
  if (!S_ISREG(found.st_mode)) return EACCES;
  return ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

/// The error that a child reports before it becomes the command.
struct Obstacle {
  enum class Step { kUser, kExecute };
  Step step = Step::kExecute;
  int saved_errno = 0;
};

[[noreturn]] void execute(char* const* argv, char* const* environment, const Inherited& inherited,
                          const std::optional<RunAs>& user, int report) {
  Obstacle obstacle;
  inherited.restore();
  if (user) {
    obstacle = {Obstacle::Step::kUser, become(*user)};
  }
  if (obstacle.saved_errno == 0) {
    ::execvpe(argv[0], argv, environment);
    obstacle = {Obstacle::Step::kExecute, errno};
  }
  if (::write(report, &obstacle, sizeof(obstacle)) < 0) ::_exit(kFailed);
  ::_exit(kFailed);
}

/// Empty if a successful exec closed the pipe.
std::optional<Obstacle> read_obstacle(int fd) {
  Obstacle obstacle;
  ssize_t got = 0;
  do {
    got = ::read(fd, &obstacle, sizeof(obstacle));
  } while (got < 0 && errno == EINTR);
  return got == sizeof(obstacle) ? std::optional(obstacle) : std::nullopt;
}

/// In the form that execvpe(3) needs.
std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

/// Our environment plus `variable` (NAME=VALUE), changed for the user if there is one.
std::vector<std::string> environment_with(const std::string& variable, const std::optional<RunAs>& user) {
  const std::string_view name = std::string_view(variable).substr(0, variable.find('=') + 1);
  std::vector<std::string> result;
  for (char** entry = ::environ; *entry != nullptr; ++entry) {
    if (!std::string_view(*entry).starts_with(name)) result.emplace_back(*entry);
  }
  if (user) result = environment_of(*user, result);
  result.push_back(variable);
  return result;
}

}  // namespace

Inherited Inherited::take() {
  Inherited state;
  ::sigprocmask(SIG_SETMASK, nullptr, &state.mask);
  for (std::size_t number = 1; number < state.actions.size(); ++number) {
    ::sigaction(static_cast<int>(number), nullptr, &state.actions.at(number));
  }
  ::getrlimit(RLIMIT_MEMLOCK, &state.locked_memory);
  ::getrlimit(RLIMIT_NOFILE, &state.open_files);
  return state;
}

void Inherited::restore() const {
  ::setrlimit(RLIMIT_MEMLOCK, &locked_memory);
  ::setrlimit(RLIMIT_NOFILE, &open_files);
  for (std::size_t number = 1; number < actions.size(); ++number) {
    ::sigaction(static_cast<int>(number), &actions.at(number), nullptr);
  }
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
}

tl::expected<void, NotRun> find_command(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    const int why = why_not_executable(name);
    if (why != 0) return not_executed(why == ENOTDIR ? ENOENT : why, name);
    return {};
  }
  const char* variable = std::getenv("PATH");
  std::string_view path = variable != nullptr ? variable : kDefaultPath;
  int why = ENOENT;
  while (true) {
    const std::string_view directory = path.substr(0, path.find(':'));
    const int found = why_not_executable((directory.empty() ? "." : std::string(directory)) + "/" + name);
    if (found == 0) return {};
    if (found == EACCES) why = EACCES;
    if (directory.size() == path.size()) return not_executed(why, name);
    path.remove_prefix(directory.size() + 1);
  }
}

tl::expected<CommandProcess, NotRun> CommandProcess::start(const std::vector<std::string>& argv,
                                                           const std::string& variable, const Inherited& inherited,
                                                           const std::optional<RunAs>& user) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return not_run(kFailed, errno, "cannot start the command", "");
  const base::UniqueFd reader(ends[0]);
  base::UniqueFd writer(ends[1]);
  std::vector<std::string> own_argv = argv;
  std::vector<std::string> own_environment = environment_with(variable, user);
  const std::vector<char*> arguments = pointers(own_argv);
  const std::vector<char*> variables = pointers(own_environment);
  // The child has our handlers until it has restored the inherited state. We pass on signals from its first moment.
  // Those that come in between must wait.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  const int saved_errno = errno;
  if (pid == 0) execute(arguments.data(), variables.data(), inherited, user, writer.get());
  base::UniqueFd pidfd(pid < 0 ? -1 : static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  const int pidfd_errno = errno;
  auto relay = pidfd ? std::make_unique<SignalRelay>(pidfd.get()) : nullptr;
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return not_run(kFailed, saved_errno, "cannot start the command", "");
  writer.reset();
  const auto obstacle = read_obstacle(reader.get());
  if (obstacle) {
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    if (obstacle->step == Obstacle::Step::kExecute) return not_executed(obstacle->saved_errno, argv.front());
    return not_run(kFailed, obstacle->saved_errno, "cannot run the command as " + user->name,
                   "in a container the user must be one of those that /proc/self/uid_map covers");
  }
  if (!pidfd) return not_run(kFailed, pidfd_errno, "cannot wait for the command, which is running now", "");
  return CommandProcess(pid, std::move(pidfd), std::move(relay));
}

CommandProcess::End CommandProcess::wait() const {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) return {kFailed, std::nullopt};
  }
  if (WIFSIGNALED(status)) return {std::nullopt, WTERMSIG(status)};
  return {WEXITSTATUS(status), std::nullopt};
}

}  // namespace twtrace::app
