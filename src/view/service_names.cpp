// SPDX-License-Identifier: Apache-2.0
#include "view/service_names.hpp"

#include <algorithm>

namespace twtrace::view {
namespace {

std::string_view short_id(const base::Service& service) {
  constexpr std::size_t kDigits = 12;
  return std::string_view(service.container).substr(0, kDigits);
}

std::string with_id(const base::Service& service) { return (service.name + '@').append(short_id(service)); }

/// Ends of one path that may become labels. Real paths have fewer. A made-up file may have thousands in each.
constexpr std::size_t kMostEnds = 32;

/// Calls visit(end) with the ends of a path, from the last segment on, and at last with the whole path, until it
/// returns true.
template <class Visit>
bool any_end(std::string_view path, Visit visit) {
  std::size_t slash = path.rfind('/');
  for (std::size_t ends = 0; ends < kMostEnds && slash != std::string_view::npos; ++ends) {
    const std::string_view end = path.substr(slash + 1);
    if (!end.empty() && visit(end)) return true;
    if (slash == 0) break;
    slash = path.rfind('/', slash - 1);
  }
  return visit(path);
}

/// A name that ends in a unit's, without the unit's suffix; empty when it does not.
std::string_view without_suffix(const base::Service& service) {
  const std::string_view name = service.name;
  const std::size_t slash = name.rfind('/');
  // In a container, the last part of the name is the name of the cgroup if it is that of a unit.
  const bool in_container = service.kind != "cgroup" && slash != std::string_view::npos;
  const bool is_unit =
      service.kind == "systemd" || (in_container && service.own_cgroup().ends_with(name.substr(slash)));
  const std::size_t dot = is_unit ? name.rfind('.') : std::string_view::npos;
  return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}

}  // namespace

void ServiceLabels::add(const base::Service& service) {
  if (!known_.insert(&service).second) return;
  Services& same_name = by_name_[service.name];
  same_name.push_back(&service);
  ambiguous_ = ambiguous_ || same_name.size() > 1;
  ends_.clear();
  with_id_.clear();
}

std::string ServiceLabels::label(const base::Service& service) const {
  if (!ambiguous_) return service.name;
  const auto found = by_name_.find(service.name);
  if (found == by_name_.end() || found->second.size() < 2) return service.name;
  if (service.container.empty()) return label_of_path(service);
  if (with_id_.empty()) {
    for (const base::Service* one : known_) ++with_id_[with_id(*one)];
  }
  std::string labelled = with_id(service);
  return with_id_[labelled] == 1 ? labelled : label_of_path(service);
}

std::string ServiceLabels::label_of_path(const base::Service& service) const {
  std::string label = service.name;
  any_end(service.own_cgroup(), [&](std::string_view end) {
    const bool only = is_only_path(end) && by_name_.find(end) == by_name_.end();
    if (only) label = end;
    return only;
  });
  return label;
}

bool ServiceLabels::is_only_path(std::string_view end) const {
  if (ends_.empty()) {
    for (const auto& [name, services] : by_name_) {
      for (const base::Service* one : services) {
        any_end(one->own_cgroup(), [&](std::string_view known) {
          ends_.count(known);
          return false;
        });
      }
    }
  }
  return ends_.services_with(end) == 1;
}

std::size_t ServiceLabels::Ends::place_of(std::size_t hash) const {
  std::size_t at = hash & (places_.size() - 1);
  while (places_[at].services != 0 && places_[at].hash != hash) at = (at + 1) & (places_.size() - 1);
  return at;
}

void ServiceLabels::Ends::count(std::string_view end) {
  constexpr std::size_t kFirst = 256;
  if (used_ * 2 >= places_.size()) {
    std::vector<Place> before(std::max(kFirst, places_.size() * 2));
    places_.swap(before);
    for (const Place& place : before) {
      if (place.services != 0) places_[place_of(place.hash)] = place;
    }
  }
  const std::size_t hash = std::hash<std::string_view>()(end);
  Place& place = places_[place_of(hash)];
  if (place.services++ == 0) ++used_;
  place.hash = hash;
}

std::uint32_t ServiceLabels::Ends::services_with(std::string_view end) const {
  return empty() ? 0 : places_[place_of(std::hash<std::string_view>()(end))].services;
}

bool service_matches(const Pattern& pattern, const base::Service& service) {
  const auto is = [&](std::string_view name) { return pattern.matches(name); };
  if (is(service.name) || is(without_suffix(service))) return true;
  if (service.kind != "cgroup" && pattern.matches_leading_part(service.name)) return true;
  if (is(service.pod.name) || is(service.pod.uid)) return true;
  if (!service.container.empty() && (is(service.container) || is(short_id(service)) || is(with_id(service)))) {
    return true;
  }
  return pattern.text().find('/') != std::string::npos && pattern.matches_end(service.own_cgroup());
}

std::size_t bytes_to_compare(const base::Service& service) {
  constexpr std::size_t kForms = 4;  // the name, without a suffix, its leading parts, with an id
  return kForms * (service.name.size() + service.container.size()) + service.pod.name.size() + service.pod.uid.size() +
         service.cgroup.size();
}

}  // namespace twtrace::view
