// SPDX-License-Identifier: Apache-2.0
#include "capture/stored_services.hpp"

#include <string>
#include <utility>

#include "capture/limits.hpp"

namespace twtrace::capture {

base::Service read_service(Columns& row) {
  base::Service service;
  for (std::string* text : {&service.kind, &service.name, &service.cgroup, &service.pod.uid, &service.container}) {
    *text = row.text(kLongestPath);
  }
  return service;
}

base::Result<StoredServices> StoredServices::open(const Database& database) {
  auto by_id = database.prepare(std::string("SELECT ") + kServiceColumns + " FROM service WHERE id=?");
  if (!by_id) return tl::unexpected(by_id.error());
  StoredServices services;
  services.by_id_ = std::move(*by_id);
  return services;
}

std::optional<base::SharedService> StoredServices::find(std::int64_t id) {
  const auto known = known_.find(id);
  if (known != known_.end()) return known->second;
  auto row = look_up(by_id_, id);
  if (!row) return std::nullopt;
  const base::SharedService read(read_service(*row));
  if (!row->ok()) return std::nullopt;
  const base::SharedService& shared = by_name_.emplace(&*read, read).first->second;
  known_.emplace(id, shared);
  return shared;
}

}  // namespace twtrace::capture
