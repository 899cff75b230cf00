// SPDX-License-Identifier: Apache-2.0
#include "view/service_names.hpp"

#include <algorithm>
#include <bit>

namespace twtrace::view {
namespace {

std::string_view short_id(const base::Service& service) {
  constexpr std::size_t kDigits = 12;
  return std::string_view(service.container).substr(0, kDigits);
}

std::string with_id(const base::Service& service) { return (service.name + '@').append(short_id(service)); }

/// Ends of one path that may become labels. Real paths have fewer. A made-up file may have thousands in each.
constexpr std::size_t kMostEnds = 32;

/// Goes through the ends of a path, from the last segment on, and at last the whole path.
class EndWalk {
 public:
  explicit EndWalk(std::string_view path) : path_(path), slash_(path.rfind('/')) {}

  /// May be empty, if the path ends with a slash.
  std::string_view end() const { return is_whole() ? path_ : path_.substr(slash_ + 1); }
  void next() {
    slash_ = slash_ == 0 ? std::string_view::npos : path_.rfind('/', slash_ - 1);
    ++visited_;
  }
  bool is_whole() const { return slash_ == std::string_view::npos || visited_ == kMostEnds; }

 private:
  std::string_view path_;
  std::size_t slash_;
  std::size_t visited_ = 0;
};

/// Calls visit(end) with the ends of a path, in the order of EndWalk, until it returns true.
template <class Visit>
bool any_end(std::string_view path, Visit visit) {
  for (EndWalk walk(path);; walk.next()) {
    if ((walk.is_whole() || !walk.end().empty()) && visit(walk.end())) return true;
    if (walk.is_whole()) return false;
  }
}

/// Where an end stands among those that EndWalk comes by. Only ends in the same place can be equal.
std::size_t place_of_end(std::string_view end) {
  return std::min(static_cast<std::size_t>(std::count(end.begin(), end.end(), '/')), kMostEnds);
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
  if (ends_.empty()) count_ends();
  const std::size_t place = place_of_end(end);
  return place >= ends_.size() || ends_[place].services_with(end) < 2;
}

/// Counts the last segments, then the ends with one segment more of those services whose shorter end others have, too,
/// and so on.
void ServiceLabels::count_ends() const {
  std::vector<EndWalk> left;
  for (const base::Service* one : known_) left.emplace_back(one->own_cgroup());
  for (std::size_t place = 0; place <= kMostEnds && !left.empty(); ++place) {
    Ends& ends = ends_.emplace_back(left.size());
    for (const EndWalk& walk : left) {
      if (!walk.end().empty()) ends.count(walk.end());
    }
    std::erase_if(left, [&](const EndWalk& walk) {
      return walk.is_whole() || (!walk.end().empty() && ends.services_with(walk.end()) == 1);
    });
    for (EndWalk& walk : left) walk.next();
  }
}

ServiceLabels::Ends::Ends(std::size_t most) : places_(std::bit_ceil(most * 2)) {}

std::size_t ServiceLabels::Ends::place_of(std::size_t hash) const {
  std::size_t at = hash & (places_.size() - 1);
  while (places_[at].services != 0 && places_[at].hash != hash) at = (at + 1) & (places_.size() - 1);
  return at;
}

void ServiceLabels::Ends::count(std::string_view end) {
  const std::size_t hash = std::hash<std::string_view>()(end);
  Place& place = places_[place_of(hash)];
  ++place.services;
  place.hash = hash;
}

std::uint32_t ServiceLabels::Ends::services_with(std::string_view end) const {
  return places_[place_of(std::hash<std::string_view>()(end))].services;
}

ServiceLabel::ServiceLabel(const base::Service& service) : service_(service) {
  any_end(service.own_cgroup(), [&](std::string_view end) {
    const auto slashes = static_cast<std::size_t>(std::count(end.begin(), end.end(), '/'));
    ends_.push_back({end, slashes, end == service.name});
    return false;
  });
}

void ServiceLabel::compare(const base::Service& other) {
  if (base::is_same(other, service_)) return;
  ambiguous_ = ambiguous_ || other.name == service_.name;
  id_is_taken_ = id_is_taken_ || (!service_.container.empty() && with_id(other) == with_id(service_));
  for (End& end : ends_) end.is_name = end.is_name || end.text == other.name;
  while (first_free_ < ends_.size() && has(other, ends_[first_free_])) ++first_free_;
}

bool ServiceLabel::has(const base::Service& other, const End& end) const {
  const std::string_view path = other.own_cgroup();
  if (path == end.text) return true;
  return end.slashes < kMostEnds && path.size() > end.text.size() && path.ends_with(end.text) &&
         path[path.size() - end.text.size() - 1] == '/';
}

std::string ServiceLabel::label() const {
  if (!ambiguous_) return service_.name;
  if (!service_.container.empty() && !id_is_taken_) return with_id(service_);
  const auto free = std::find_if(ends_.begin() + static_cast<std::ptrdiff_t>(first_free_), ends_.end(),
                                 [](const End& end) { return !end.is_name; });
  return free == ends_.end() ? service_.name : std::string(free->text);
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
