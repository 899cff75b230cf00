// SPDX-License-Identifier: Apache-2.0
// The HTTP server.
#pragma once

#include <memory>
#include <vector>

#include "base/result.hpp"
#include "export/connections.hpp"
#include "export/listeners.hpp"
#include "export/site.hpp"

namespace twtrace::exporter {

/// Answers the requests of many clients without a thread and without waiting: the owner waits for fd() among other
/// things, and calls run(). A run takes a bounded number of steps, so that any number of clients delay a sample by a
/// few milliseconds at most. Not thread-safe.
class Server {
 public:
  /// kUnsupported if twtrace was built without HTTP.
  static base::Result<std::unique_ptr<Server>> create(std::vector<Listener> listeners, Site site,
                                                      const ConnectionLimits& limits = {});
  Server() = default;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  virtual ~Server() = default;

  /// Becomes readable when there is something to do.
  virtual int fd() const = 0;
  /// Does it.
  virtual void run() = 0;
};

}  // namespace twtrace::exporter
