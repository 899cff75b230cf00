// SPDX-License-Identifier: Apache-2.0
// Child processes of a test. They do what cannot be undone, and what another process does to a file.
#pragma once

#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

#include "../kernel/temp_tree.hpp"

namespace twtrace::test {

/// Runs `body` in a child. Returns its result (at most 4,000 bytes) or the text of its exception.
inline std::string in_child(const std::function<std::string()>& body) {
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  const pid_t pid = ::fork();
  if (pid == 0) {
    std::string text;
    try {
      text = body();
    } catch (const std::exception& error) {
      text = error.what();
    }
    if (::write(ends[1], text.data(), std::min<std::size_t>(text.size(), 4000)) < 0) ::_exit(1);
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string text;
  char byte = 0;
  while (::read(ends[0], &byte, 1) == 1) text += byte;
  ::close(ends[0]);
  ::waitpid(pid, nullptr, 0);
  return text;
}

/// The same, with a tmpfs of this size as the child's directory for temporary files.
inline std::string in_small_tmpfs(const std::string& size, const std::function<std::string()>& body) {
  return in_child([&] {
    const kernel::TempTree tree;
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", tree.root().c_str(), "tmpfs", 0, ("mode=755,size=" + size).c_str()) != 0 ||
        ::setenv("TMPDIR", tree.root().c_str(), 1) != 0) {
      return std::string("cannot mount");
    }
    const std::string text = body();
    ::umount(tree.root().c_str());
    return text;
  });
}

/// A child that keeps the result of `hold` until let_go(). The destructor kills it.
class Holder {
 public:
  template <class Hold>
  explicit Holder(const Hold& hold) {
    if (::pipe(ready_) != 0 || ::pipe(go_) != 0) throw std::runtime_error("no pipe");
    pid_ = ::fork();
    if (pid_ != 0) {
      ::close(ready_[1]);
      ::close(go_[0]);
      char byte = 0;
      holds_ = ::read(ready_[0], &byte, 1) == 1 && byte == 'y';
      return;
    }
    ::close(go_[1]);
    try {
      {
        const auto held = hold();
        char byte = 'y';
        if (::write(ready_[1], &byte, 1) == 1) static_cast<void>(::read(go_[0], &byte, 1));
      }
      ::_exit(0);
    } catch (const std::exception&) {
      ::_exit(1);
    }
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() {
    end(SIGKILL);
    ::close(ready_[0]);
  }

  bool holds() const { return holds_; }
  /// Returns after the child has let go.
  void let_go() { end(0); }
  void kill() { end(SIGKILL); }

 private:
  void end(int signal) {
    if (pid_ <= 0) return;
    if (signal != 0) ::kill(pid_, signal);
    ::close(go_[1]);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

  int ready_[2] = {};
  int go_[2] = {};
  pid_t pid_ = -1;
  bool holds_ = false;
};

/// A child that answers questions until the destructor kills it. Texts have at most 4,000 bytes and no NUL.
class Other {
 public:
  using Answer = std::function<std::string(const std::string&)>;
  explicit Other(const Answer& answer) {
    if (::pipe(questions_) != 0 || ::pipe(answers_) != 0) throw std::runtime_error("no pipe");
    pid_ = ::fork();
    if (pid_ == 0) serve(answer);
    ::close(questions_[0]);
    ::close(answers_[1]);
  }
  Other(const Other&) = delete;
  Other& operator=(const Other&) = delete;
  ~Other() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::close(questions_[1]);
    ::close(answers_[0]);
  }

  /// Returns the answer, or the text of the exception. Empty if the child has died.
  std::string ask(const std::string& question) const {
    return send(questions_[1], question) ? receive(answers_[0]) : "";
  }

 private:
  static bool send(int to, const std::string& text) {
    return ::write(to, text.c_str(), text.size() + 1) == static_cast<ssize_t>(text.size() + 1);
  }
  static std::string receive(int from) {
    std::string text;
    char byte = 0;
    while (::read(from, &byte, 1) == 1 && byte != '\0') text += byte;
    return text;
  }
  [[noreturn]] void serve(const Answer& answer) const {
    ::close(questions_[1]);
    while (true) {
      const std::string question = receive(questions_[0]);
      std::string text;
      try {
        text = answer(question);
      } catch (const std::exception& error) {
        text = error.what();
      }
      if (!send(answers_[1], text)) ::_exit(1);
    }
  }

  int questions_[2] = {};
  int answers_[2] = {};
  pid_t pid_ = -1;
};

/// An SQLite client with the database open.
class Client {
 public:
  Client(const std::string& path, const std::string& sql) {
    sqlite3_open(path.c_str(), &handle_);
    if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) throw std::runtime_error(sql);
  }
  Client(Client&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Client(const Client&) = delete;
  ~Client() { sqlite3_close(handle_); }

 private:
  sqlite3* handle_ = nullptr;
};

}  // namespace twtrace::test
