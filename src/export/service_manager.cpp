// SPDX-License-Identifier: Apache-2.0
#include "export/service_manager.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "base/escape.hpp"
#include "base/whole_io.hpp"

namespace twtrace::exporter {
namespace {

// systemd reads 4096 bytes (NOTIFY_BUFFER_MAX) and ignores more. An escape has four bytes for one.
constexpr std::size_t kMostStatusBytes = 1000;

std::string status_line(std::string_view text) {
  return "STATUS=" + base::sanitize_terminal(text.substr(0, kMostStatusBytes)) + '\n';
}

}  // namespace

base::Result<ServiceManager> ServiceManager::connect(const char* socket) {
  const std::string_view name = socket == nullptr ? "" : socket;
  if (name.empty()) return ServiceManager();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const bool is_abstract = name.front() == '@';
  if ((name.front() != '/' && !is_abstract) || name.size() >= sizeof(address.sun_path)) {
    return base::fail(base::ErrorCode::kUsage,
                      "NOTIFY_SOCKET: \"" + std::string(name) + "\" is not the name of a Unix socket",
                      "let systemd set it, or leave it out");
  }
  std::memcpy(address.sun_path, name.data(), name.size());
  if (is_abstract) address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  base::UniqueFd connected(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!connected || ::connect(connected.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    return base::fail_errno(errno, "NOTIFY_SOCKET: cannot connect to " + std::string(name));
  }
  return ServiceManager(std::move(connected));
}

void ServiceManager::status(std::string_view text) {
  if (!socket_ || text == shown_) return;
  if (base::write_all(socket_.get(), status_line(text)) == 0) shown_ = text;
}

void ServiceManager::ready() {
  if (!socket_) return;
  base::write_all(socket_.get(), "READY=1\n");
  ::fcntl(socket_.get(), F_SETFL, O_NONBLOCK);
}

void ServiceManager::stopping(std::string_view status) {
  if (socket_) base::write_all(socket_.get(), "STOPPING=1\n" + status_line(status));
}

}  // namespace twtrace::exporter
