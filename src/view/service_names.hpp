// SPDX-License-Identifier: Apache-2.0
// What services are called where names alone are not enough: in tables, and by who selects them.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/service.hpp"
#include "view/pattern.hpp"

namespace twtrace::view {

/// The services of one picture. A service whose name no other one has is called by it. Others are called by the
/// shortest end of their cgroup's path that no other service's path has, "a/worker.service" and "b/worker.service";
/// containers by their name and id, "web@0123456789ab". Refers to the services that are added, which must outlive it.
/// Not thread-safe.
class ServiceLabels {
 public:
  void add(const base::Service& service);
  /// What a service that was added is called.
  std::string label(const base::Service& service) const;

 private:
  using Services = std::vector<const base::Service*>;

  std::string label_of_path(const base::Service& service) const;
  bool is_only_path(std::string_view end) const;

  std::unordered_map<std::string_view, Services> by_name_;  ///< different ones
  bool ambiguous_ = false;                                  ///< some name has several
  mutable std::unordered_map<std::string_view, int>
      ends_;  ///< services whose paths have this end; empty: not counted yet
};

/// True when the pattern takes one of the things that a service is called by:
///  - its name, and the leading parts of a name with slashes: of the pod shop/web-1 all containers, of
///  web1/nginx.service the container web1;
///  - the name of a unit without its suffix ("nginx" is nginx.service);
///  - the container's id or its first 12 digits; the pod's name or uid;
///  - what ServiceLabels calls it, whatever other services there are: an end of its cgroup's path, `name@id`.
bool service_matches(const Pattern& pattern, const base::Service& service);

}  // namespace twtrace::view
