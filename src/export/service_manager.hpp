// SPDX-License-Identifier: Apache-2.0
// Tells systemd how this service is: the protocol of sd_notify(3), without its library.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace twtrace::exporter {

/// The service manager that started this process, if it wants to be told. The socket is connected once, so telling it
/// needs no call but write(2). A text may hold any bytes: what could be taken for another line of the protocol is
/// escaped, and the end of a long one is left out. Not thread-safe.
class ServiceManager {
 public:
  /// Nobody: nothing is ever sent.
  ServiceManager() = default;

  /// `socket` is NOTIFY_SOCKET of the environment: a path, or a name in the abstract namespace that begins with @. Null
  /// or empty is nobody. kUsage if it is neither; else the error of the system call.
  static base::Result<ServiceManager> connect(const char* socket);

  /// False if nobody wants to be told.
  bool listens() const { return static_cast<bool>(socket_); }

  /// What `systemctl status` shows from now on. Sends nothing if it shows that already.
  void status(std::string_view text);
  /// The service works: a start of Type=notify is over. From now on nothing waits for the manager: what finds no room
  /// is left out, and the next call of status() tries again.
  void ready();
  /// The service ends.
  void stopping(std::string_view status);

 private:
  explicit ServiceManager(base::UniqueFd socket) : socket_(std::move(socket)) {}

  base::UniqueFd socket_;
  std::string shown_;
};

}  // namespace twtrace::exporter
