// SPDX-License-Identifier: Apache-2.0
// A second process that keeps a privilege, so that the process that traces can drop it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <utility>

#include "base/fields.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace twtrace::trace {

/// A child that answers questions on a socket, one after another. Whatever holds it up (a file system that does not
/// answer, a SIGSTOP), nothing here waits for it longer than it is told to. Move-only. Not thread-safe.
///
/// It ends when this object goes away or this process ends. If it is held up at that time, it is killed. This process
/// may not kill it if it has become another user; it then ends as soon as it goes on.
class HelperProcess {
 public:
  /// The work of the new process, which ends when this returns. It has `socket`, and descriptors that it may not keep:
  /// see keep_descriptors(). Every signal is blocked, because those of the terminal are for the other process.
  using Serve = std::function<void(int socket, pid_t parent)>;

  /// Forks, so call it while there is only one thread, before anything is opened that a second process must not hold.
  /// `comm`: the name of the new process, at most 15 bytes.
  static base::Result<HelperProcess> start(const char* comm, const Serve& serve);
  HelperProcess(HelperProcess&& other) noexcept
      : socket_(std::move(other.socket_)),
        pid_(std::exchange(other.pid_, -1)),
        inbox_(std::move(other.inbox_)),
        owes_answer_(other.owes_answer_) {}
  HelperProcess& operator=(HelperProcess&&) = delete;
  ~HelperProcess();

  pid_t pid() const { return pid_; }
  /// False once it has ended.
  bool answers() const { return static_cast<bool>(socket_); }
  /// Whether it has not answered the last question yet. Before it has, it takes no other one, so an answer always
  /// belongs to the last question.
  bool owes_answer() const { return answers() && owes_answer_; }
  /// Asks it, if it owes no answer.
  void ask(const base::Fields& question);
  /// Waits for the answer for so long. Empty: it still owes it, or it has ended.
  std::optional<base::Fields> answer(std::chrono::milliseconds patience);

 private:
  HelperProcess(base::UniqueFd socket, pid_t pid) : socket_(std::move(socket)), pid_(pid) {}
  bool receive();
  bool has_ended(std::chrono::milliseconds patience) const;

  base::UniqueFd socket_;
  pid_t pid_;
  base::FieldsInbox inbox_;
  bool owes_answer_ = false;
};

/// The first descriptor of keep_descriptors().
inline constexpr int kFirstKept = 3;
/// For a helper: keeps these descriptors as kFirstKept and up, and closes all others. Standard input, output and error
/// become /dev/null, because a reader of the other process's output must see the end when that process ends.
bool keep_descriptors(std::span<const int> fds);
/// For a helper: makes the kernel kill this process when the parent ends. False if it has ended already. A change of
/// the user undoes it, so call it afterwards.
bool end_with(pid_t parent);

}  // namespace twtrace::trace
