// SPDX-License-Identifier: Apache-2.0
#include "app/command_process.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/reap.hpp"

namespace twtrace::app {
namespace {

constexpr int kFailed = 125;
constexpr int kNotExecutable = 126;
constexpr int kNotFound = 127;
constexpr const char* kDefaultPath = "/bin:/usr/bin";  // as in execvp(3)

/// `saved_errno`: 0 if `what` says it all.
tl::unexpected<NotRun> not_run(int exit_code, int saved_errno, const std::string& what, const std::string& hint) {
  auto error =
      saved_errno != 0 ? base::fail_errno(saved_errno, what, hint) : base::fail(base::ErrorCode::kFailure, what, hint);
  return tl::unexpected(NotRun{exit_code, std::move(error.value())});
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

/// The program that runs a script, from its first line, if there is none of that name. Empty: there is, or the file is
/// no script or cannot be read.
std::string missing_interpreter(const std::string& path) {
  constexpr std::string_view kMagic = "#!";
  constexpr std::string_view kBlanks = " \t";
  std::array<char, 256> begin{};  // BINPRM_BUF_SIZE of linux/binfmts.h
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  const ssize_t got = file ? ::read(file.get(), begin.data(), begin.size()) : 0;
  std::string_view line(begin.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  if (!line.starts_with(kMagic)) return {};
  line = line.substr(0, line.find('\n'));
  line.remove_prefix(std::min(line.size(), line.find_first_not_of(kBlanks, kMagic.size())));
  std::string name(line.substr(0, line.find_first_of(kBlanks)));
  struct stat found {};
  return ::stat(name.c_str(), &found) != 0 && errno == ENOENT ? name : "";
}

/// For a file that exists and may be executed.
tl::expected<void, NotRun> check_interpreter(const std::string& path, const std::string& name) {
  const std::string missing = missing_interpreter(path);
  if (missing.empty()) return {};
  const bool dos = missing.back() == '\r';
  return not_run(kNotExecutable, 0,
                 "cannot run " + name + ": its interpreter " + missing + ", from the #! line, does not exist",
                 dos ? "its lines end with CR LF: remove the CR" : "correct the first line, or install that program");
}

/// The error that a child reports before it becomes the command.
struct Obstacle {
  enum class Step { kUser, kExecute };
  Step step = Step::kExecute;
  int saved_errno = 0;
};

/// False when nobody is going to say so any more.
bool is_let_go(int go) {
  char byte = 0;
  ssize_t got = 0;
  do {
    got = ::read(go, &byte, sizeof(byte));
  } while (got < 0 && errno == EINTR);
  return got == sizeof(byte);
}

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
    return check_interpreter(name, name);
  }
  const char* variable = std::getenv("PATH");
  std::string_view path = variable != nullptr ? variable : kDefaultPath;
  int why = ENOENT;
  while (true) {
    const std::string_view directory = path.substr(0, path.find(':'));
    const std::string file = (directory.empty() ? "." : std::string(directory)) + "/" + name;
    const int found = why_not_executable(file);
    if (found == 0) return check_interpreter(file, name);
    if (found == EACCES) why = EACCES;
    if (directory.size() == path.size()) return not_executed(why, name);
    path.remove_prefix(directory.size() + 1);
  }
}

tl::expected<WaitingCommand, NotRun> WaitingCommand::make(const std::vector<std::string>& argv,
                                                          const std::string& variable, const Inherited& inherited,
                                                          const std::optional<RunAs>& user) {
  std::array<int, 2> report{};
  std::array<int, 2> go{};
  if (::pipe2(report.data(), O_CLOEXEC) != 0) return not_run(kFailed, errno, "cannot start the command", "");
  WaitingCommand waiting;
  waiting.report_.reset(report[0]);
  base::UniqueFd reporter(report[1]);
  if (::pipe2(go.data(), O_CLOEXEC) != 0) return not_run(kFailed, errno, "cannot start the command", "");
  base::UniqueFd gate(go[0]);
  waiting.go_.reset(go[1]);
  waiting.name_ = argv.front();
  if (user) waiting.user_name_ = user->name;
  std::vector<std::string> own_argv = argv;
  std::vector<std::string> own_environment = environment_with(variable, user);
  const std::vector<char*> arguments = pointers(own_argv);
  const std::vector<char*> variables = pointers(own_environment);
  // The child blocks every signal until it executes: those typed at the terminal meanwhile are meant for us.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  const int saved_errno = errno;
  if (pid == 0) {
    waiting.go_.reset();  // or it would wait for itself
    if (!is_let_go(gate.get())) ::_exit(kFailed);
    execute(arguments.data(), variables.data(), inherited, user, reporter.get());
  }
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return not_run(kFailed, saved_errno, "cannot start the command", "");
  waiting.pid_ = pid;
  waiting.pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  const int pidfd_errno = errno;
  if (!waiting.pidfd_) return not_run(kFailed, pidfd_errno, "cannot wait for the command", "");
  return waiting;
}

WaitingCommand::WaitingCommand(WaitingCommand&& other) noexcept { *this = std::move(other); }

WaitingCommand& WaitingCommand::operator=(WaitingCommand&& other) noexcept {
  std::swap(name_, other.name_);
  std::swap(user_name_, other.user_name_);
  std::swap(pid_, other.pid_);
  std::swap(pidfd_, other.pidfd_);
  std::swap(go_, other.go_);
  std::swap(report_, other.report_);
  return *this;
}

WaitingCommand::~WaitingCommand() {
  if (pid_ < 0) return;
  go_.reset();
  base::reap(pid_);
}

tl::expected<CommandProcess, NotRun> CommandProcess::start(WaitingCommand waiting) {
  // We pass on signals from its first moment: those that come meanwhile wait.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  const bool let_go = ::write(waiting.go_.get(), "", 1) == 1;
  const int saved_errno = errno;
  auto relay = let_go ? std::make_unique<SignalRelay>(waiting.pidfd_.get()) : nullptr;
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (!let_go)
    return not_run(kFailed, saved_errno, "the process of the command ended before the command could run", "");
  if (const auto obstacle = read_obstacle(waiting.report_.get())) {
    const bool exists = obstacle->saved_errno == ENOENT && find_command(waiting.name_).has_value();
    if (obstacle->step == Obstacle::Step::kExecute && exists) {
      return not_run(kNotExecutable, 0,
                     "cannot run " + waiting.name_ + ": the program that should load it does not exist",
                     "readelf -l FILE names it, unless FILE is a script");
    }
    if (obstacle->step == Obstacle::Step::kExecute) return not_executed(obstacle->saved_errno, waiting.name_);
    return not_run(kFailed, obstacle->saved_errno, "cannot run the command as " + waiting.user_name_,
                   "in a container the user must be one of those that /proc/self/uid_map covers");
  }
  return CommandProcess(std::exchange(waiting.pid_, -1), std::move(waiting.pidfd_), std::move(relay));
}

CommandProcess::End CommandProcess::wait() const {
  const std::optional<int> status = base::reap(pid_);
  if (!status) return {kFailed, std::nullopt};
  if (WIFSIGNALED(*status)) return {std::nullopt, WTERMSIG(*status)};
  return {WEXITSTATUS(*status), std::nullopt};
}

}  // namespace twtrace::app
