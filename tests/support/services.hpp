// SPDX-License-Identifier: Apache-2.0
// Services for tests.
#pragma once

#include <string>
#include <utility>

#include "base/service.hpp"

namespace twtrace::test {

/// A service of which only the name is known.
inline base::SharedService shared_service(std::string name) {
  base::Service service;
  service.name = std::move(name);
  return base::SharedService(std::move(service));
}

}  // namespace twtrace::test
