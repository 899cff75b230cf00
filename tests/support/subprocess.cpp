// SPDX-License-Identifier: Apache-2.0
#include "support/subprocess.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <thread>

namespace twtrace::test {
namespace {

// The longer it has waited, the longer it sleeps before the next check. In an emulated machine a check costs more than
// the event it waits for.
constexpr milliseconds kShortestPoll{2};
constexpr milliseconds kLongestPoll{40};
constexpr int kPollsPerWait = 8;

constexpr int kCannotStart = 127;

base::UniqueFd memory_file() {
  base::UniqueFd fd(memfd_create("twtrace-test", MFD_CLOEXEC));
  if (!fd) throw std::runtime_error("memfd_create");
  return fd;
}

// pread keeps the offset, which the child shares.
std::string contents(const base::UniqueFd& fd, std::size_t begin = 0) {
  struct stat status {};
  if (fstat(fd.get(), &status) != 0 || static_cast<std::size_t>(status.st_size) <= begin) return {};
  std::string text(static_cast<std::size_t>(status.st_size) - begin, '\0');
  const ssize_t size = pread(fd.get(), text.data(), text.size(), static_cast<off_t>(begin));
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

[[noreturn]] void exec_child(const std::vector<std::string>& argv, int netns_fd, int input, int output, int error) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(input, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(error, STDERR_FILENO);
  if (netns_fd >= 0 && setns(netns_fd, CLONE_NEWNET) != 0) _exit(kCannotStart);
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  std::perror(arguments[0]);
  _exit(kCannotStart);
}

}  // namespace

bool wait_until(const std::function<bool()>& condition, milliseconds deadline) {
  const auto begin = std::chrono::steady_clock::now();
  while (!condition()) {
    const auto waited = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
    if (waited > deadline) return condition();
    std::this_thread::sleep_for(std::clamp(waited / kPollsPerWait, kShortestPoll, kLongestPoll));
  }
  return true;
}

Subprocess::Subprocess(const std::vector<std::string>& argv, int netns_fd)
    : output_(memory_file()), error_(memory_file()) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  const base::UniqueFd child_input(ends[0]);
  input_.reset(ends[1]);
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("fork");
  if (pid_ == 0) exec_child(argv, netns_fd, child_input.get(), output_.get(), error_.get());
}

Subprocess::~Subprocess() {
  if (exit_code_) return;
  kill(pid_, SIGKILL);
  reap(true);
}

void Subprocess::signal(int number) const {
  if (!exit_code_) kill(pid_, number);
}

void Subprocess::write_line(const std::string& line) const {
  const std::string text = line + "\n";
  if (::write(input_.get(), text.data(), text.size()) < 0) throw std::runtime_error("write to a child's input");
}

std::string Subprocess::standard_output(std::size_t begin) const { return contents(output_, begin); }
std::string Subprocess::standard_error() const { return contents(error_); }

bool Subprocess::wait_for_output(const std::string& text, milliseconds deadline) {
  const auto found = [&] { return standard_output().find(text) != std::string::npos; };
  wait_until([&] { return reap(false), exit_code_ || found(); }, deadline);
  return found();
}

bool Subprocess::wait_for_error(const std::string& text, milliseconds deadline) {
  const auto found = [&] { return standard_error().find(text) != std::string::npos; };
  wait_until([&] { return reap(false), exit_code_ || found(); }, deadline);
  return found();
}

std::optional<int> Subprocess::wait(milliseconds deadline) {
  wait_until([&] { return reap(false), exit_code_.has_value(); }, deadline);
  return exit_code_;
}

void Subprocess::reap(bool block) {
  int status = 0;
  if (exit_code_ || waitpid(pid_, &status, block ? 0 : WNOHANG) != pid_) return;
  exit_code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace twtrace::test
