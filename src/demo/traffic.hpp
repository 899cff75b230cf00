// SPDX-License-Identifier: Apache-2.0
// The demo's servers and clients: short connections over the loopback of the calling process's namespace.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "demo/child.hpp"
#include "demo/pace.hpp"

namespace twtrace::demo {

/// Which end closes first: the one that gets the TIME_WAIT bucket.
enum class Closer { kServer, kClient };

/// One request and one answer per connection.
struct Exchange {
  std::uint16_t port = 0;
  std::string request;
  std::string answer;
  Closer closer = Closer::kServer;
};

/// Listens at once; the work answers one connection after the other, for ever.
base::Result<Work> make_server(const Exchange& exchange);

/// The work connects at the given pace, for ever. A connection that fails is given up; one that is late is not made up
/// for by a burst.
base::Result<Work> make_client(const Exchange& exchange, const Pace& pace);

}  // namespace twtrace::demo
