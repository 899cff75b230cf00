// SPDX-License-Identifier: Apache-2.0
// Private to capture: the services of a file.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "base/result.hpp"
#include "base/service.hpp"
#include "capture/columns.hpp"
#include "capture/sqlite.hpp"

namespace twtrace::capture {

/// What to select of the table `service` for read_service().
inline constexpr const char* kServiceColumns = "service.kind, service.name, cgroup, pod, container";
base::Service read_service(Columns& row);

/// Looks up services by their number in the file, each once. Those of equal names are one object, so that nobody has to
/// compare the names. Not thread-safe.
class StoredServices {
 public:
  /// `database` must outlive it.
  static base::Result<StoredServices> open(const Database& database);

  /// Empty when the file does not have it, or has what cannot be.
  std::optional<base::SharedService> find(std::int64_t id);

 private:
  Statement by_id_;
  std::unordered_map<std::int64_t, base::SharedService> known_;
  std::unordered_map<const base::Service*, base::SharedService, base::ServiceHash, base::SameService> by_name_;
};

}  // namespace twtrace::capture
