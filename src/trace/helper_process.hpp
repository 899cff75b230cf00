// SPDX-License-Identifier: Apache-2.0
// A second process that keeps a privilege, so that the process that traces can drop it.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <span>
#include <utility>

#include "base/fields.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace twtrace::trace {

/// A child that answers questions on a socket. It ends when this object goes away or this process ends. Move-only. Not
/// thread-safe.
class HelperProcess {
 public:
  /// The work of the new process, which ends when this returns. It has `socket`, and descriptors that it may not keep:
  /// see keep_descriptors(). Every signal is blocked, because those of the terminal are for the other process.
  using Serve = std::function<void(int socket, pid_t parent)>;

  /// Forks, so call it while there is only one thread, before anything is opened that a second process must not hold.
  /// `comm`: the name of the new process, at most 15 bytes.
  static base::Result<HelperProcess> start(const char* comm, const Serve& serve);
  HelperProcess(HelperProcess&& other) noexcept
      : socket_(std::move(other.socket_)), pid_(std::exchange(other.pid_, -1)) {}
  HelperProcess& operator=(HelperProcess&&) = delete;
  ~HelperProcess();

  /// False once it has ended.
  bool answers() const { return static_cast<bool>(socket_); }
  /// Waits for the answer. Empty if the helper has ended; then answers() is false from here on.
  std::optional<base::Fields> ask(const base::Fields& question);

 private:
  HelperProcess(base::UniqueFd socket, pid_t pid) : socket_(std::move(socket)), pid_(pid) {}

  base::UniqueFd socket_;
  pid_t pid_;
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
