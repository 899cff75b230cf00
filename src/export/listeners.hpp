// SPDX-License-Identifier: Apache-2.0
// Listening sockets: our own, or those that systemd passes on.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "export/listen_address.hpp"

namespace twtrace::exporter {

/// A socket that listens, without blocking.
struct Listener {
  base::UniqueFd socket;
  std::string address;  ///< "127.0.0.1:9476", with the port that the kernel chose
};

/// Listens on all of these. A name is looked up and may mean several sockets. An error names the address: kUsage if
/// there is no such host, kFailure or kPermission if the kernel refuses.
base::Result<std::vector<Listener>> listen_on(const std::vector<ListenAddress>& addresses);

/// The sockets of socket activation (sd_listen_fds(3): LISTEN_PID and LISTEN_FDS). kUsage if there is none, or one that
/// is no listening TCP socket. Call it once: it takes the descriptors over.
base::Result<std::vector<Listener>> take_systemd_sockets();

}  // namespace twtrace::exporter
