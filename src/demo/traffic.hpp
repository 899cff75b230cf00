// SPDX-License-Identifier: Apache-2.0
// The demo's servers and clients: short connections over the loopback of the calling process's namespace.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "demo/child.hpp"
#include "demo/pace.hpp"

namespace twtrace::demo {

/// Which end closes first and gets the TIME_WAIT bucket.
enum class Closer { kServer, kClient };

/// One request and one answer per connection.
struct Exchange {
  std::uint16_t port = 0;
  std::string request;
  std::string answer;
  Closer closer = Closer::kServer;
};

/// Listens at once. The work answers one connection after another, forever.
base::Result<Work> make_server(const Exchange& exchange);

/// The work connects at the given pace, forever. It gives up on a connection that fails, and does not make up for a
/// late one with a burst.
base::Result<Work> make_client(const Exchange& exchange, const Pace& pace);

}  // namespace twtrace::demo
