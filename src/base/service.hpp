// SPDX-License-Identifier: Apache-2.0
// A service: the name by which an operator knows the processes of a cgroup.
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace twtrace::base {

/// A Kubernetes pod. A member that is not known is empty.
struct Pod {
  std::string ns;
  std::string name;
  std::string uid;

  bool empty() const { return ns.empty() && name.empty() && uid.empty(); }
  auto operator<=>(const Pod&) const = default;
};

/// The service of a process, derived from its cgroup path (kernel/cgroup.hpp). Every string may hold any bytes: sinks
/// escape them.
struct Service {
  /// "systemd" (service, scope or user unit), "docker", "podman", "containerd", "cri-o", "kubernetes", "lxc", "nspawn",
  /// "slurm", "garden" (Cloud Foundry), "cgroup" (none of these; `name` is the path), "unknown" (the path is not
  /// known).
  std::string kind = "unknown";
  std::string name;
  std::string cgroup;  ///< the process's own cgroup, under the hierarchy's root
  Pod pod;
  std::string container;          ///< id of the innermost container (full), or the machine's name; else empty
  std::uint32_t inner_bytes = 0;  ///< how much of the end of `cgroup` lies below the service's cgroup

  /// The cgroup of the service as a whole: that of the unit, container or job.
  std::string_view own_cgroup() const {
    return std::string_view(cgroup).substr(0, cgroup.size() - std::min<std::size_t>(inner_bytes, cgroup.size()));
  }

  auto operator<=>(const Service&) const = default;
};

/// What people call the container or pod that a service runs in: "web", "namespace/pod". Empty if it runs in none.
inline std::string container_name(const Service& service) {
  if (!service.pod.name.empty())
    return service.pod.ns.empty() ? service.pod.name : service.pod.ns + "/" + service.pod.name;
  if (!service.pod.empty()) return service.name.substr(0, service.name.find('/'));  // "pod0123abcd", by its uid
  if (service.container.empty()) return {};
  // A unit inside is CONTAINER/UNIT, and no container has a slash in its own name.
  const std::string_view name = service.name;
  const auto slash = name.rfind('/');
  const bool is_unit = slash != std::string_view::npos && (name.ends_with(".service") || name.ends_with(".scope"));
  return std::string(is_unit ? name.substr(0, slash) : name);
}

/// True when both are the same service, whichever of its sub-cgroups the processes are in.
inline bool is_same(const Service& left, const Service& right) {
  return left.name == right.name && left.own_cgroup() == right.own_cgroup() && left.kind == right.kind &&
         left.container == right.container && left.pod == right.pod;
}

/// To look services up by is_same(), through pointers to them.
struct ServiceHash {
  std::size_t operator()(const Service* service) const {
    constexpr std::size_t kFactor = 31;
    std::size_t hash = 0;
    for (const std::string_view part : {std::string_view(service->name), service->own_cgroup(),
                                        std::string_view(service->container), std::string_view(service->pod.uid)}) {
      hash = hash * kFactor + std::hash<std::string_view>()(part);
    }
    return hash;
  }
};
struct SameService {
  bool operator()(const Service* left, const Service* right) const { return is_same(*left, *right); }
};

/// A service that snapshots share, because its names may be long. It never changes.
class SharedService {
 public:
  SharedService() {
    static const SharedService kNone{Service()};
    *this = kNone;
  }
  explicit SharedService(Service service) {
    const std::size_t hash = ServiceHash()(&service);
    shared_ = std::make_shared<const Shared>(Shared{std::move(service), hash});
  }

  const Service& operator*() const { return shared_->service; }
  const Service* operator->() const { return &shared_->service; }
  /// ServiceHash of the service.
  std::size_t hash() const { return shared_->hash; }

  bool operator==(const SharedService& other) const {
    return shared_ == other.shared_ || shared_->service == other.shared_->service;
  }

 private:
  struct Shared {
    Service service;
    std::size_t hash;
  };
  std::shared_ptr<const Shared> shared_;
};

/// Compares long names only where nothing shorter tells.
inline bool is_same(const SharedService& left, const SharedService& right) {
  return &*left == &*right || (left.hash() == right.hash() && is_same(*left, *right));
}

}  // namespace twtrace::base
