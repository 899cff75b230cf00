// SPDX-License-Identifier: Apache-2.0
// Names that tell services of equal names apart, in tables and in selectors.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/service.hpp"
#include "view/pattern.hpp"

namespace twtrace::view {

/// The services of one snapshot. A service with a unique name keeps it. Otherwise its label is the shortest end of its
/// cgroup path that no other service's path has, as in "a/worker.service" and "b/worker.service"; the whole path if
/// that end has more than 32 segments. For a container it is name and id, "web@0123456789ab". Refers to the added
/// services, which must outlive it. Not thread-safe.
class ServiceLabels {
 public:
  void add(const base::Service& service);
  /// The label of an added service.
  std::string label(const base::Service& service) const;

 private:
  using Services = std::vector<const base::Service*>;

  std::string label_of_path(const base::Service& service) const;
  bool is_only_path(std::string_view end) const;
  void count_ends() const;

  std::unordered_set<const base::Service*, base::ServiceHash, base::SameService> known_;
  std::unordered_map<std::string_view, Services> by_name_;        ///< different ones
  mutable std::unordered_map<std::string, std::size_t> with_id_;  ///< how many services have this name and id; lazy
  bool ambiguous_ = false;                                        ///< some name has several services
  /// How many services' paths have an end, by the hash of the end. Open addressing, because a hundred thousand services
  /// may have one.
  class Ends {
   public:
    explicit Ends(std::size_t most);
    void count(std::string_view end);
    std::uint32_t services_with(std::string_view end) const;

   private:
    struct Place {
      std::size_t hash = 0;
      std::uint32_t services = 0;  ///< 0: free
    };
    std::size_t place_of(std::size_t hash) const;

    std::vector<Place> places_;  ///< a power of two
  };
  mutable std::vector<Ends> ends_;  ///< by their number of slashes; empty: not counted yet
};

/// The label that ServiceLabels would give one service, for those who need few labels. Refers to the service.
class ServiceLabel {
 public:
  explicit ServiceLabel(const base::Service& service);
  /// To be called with all services of the snapshot, in any order, any number of times.
  void compare(const base::Service& other);
  std::string label() const;

 private:
  struct End {
    std::string_view text;
    std::size_t slashes = 0;
    bool is_name = false;  ///< of some service
  };

  bool has(const base::Service& other, const End& end) const;

  const base::Service& service_;
  std::vector<End> ends_;       ///< of its path, shortest first
  std::size_t first_free_ = 0;  ///< of these: other paths have those before
  bool ambiguous_ = false;
  bool id_is_taken_ = false;
};

/// True when the pattern takes one of the things that a service is called by:
///  - its name, and the leading parts of a name with slashes (shop/web-1 finds all containers of that pod);
///  - the name of a unit without its suffix ("nginx" is nginx.service);
///  - the container's id or its first 12 digits; the pod's name or uid;
///  - any label that ServiceLabels could give it: an end of its cgroup path, or `name@id`.
bool service_matches(const Pattern& pattern, const base::Service& service);
/// How many bytes service_matches() compares at most.
std::size_t bytes_to_compare(const base::Service& service);

}  // namespace twtrace::view
