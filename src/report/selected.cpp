// SPDX-License-Identifier: Apache-2.0
#include "report/selected.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "view/service_names.hpp"

namespace twtrace::report {
namespace {

/// What labels of budgets can ask for.
constexpr std::array kKeys = {view::Key::kComm, view::Key::kService, view::Key::kRole, view::Key::kPort,
                              view::Key::kNetns};

/// Gives equal keys equal numbers, from 0 on.
template <class Key, class... More>
class Numbers {
 public:
  /// The number of the key, and whether it is a new one.
  std::pair<std::uint32_t, bool> of(const Key& key) {
    const auto [known, is_new] = numbers_.try_emplace(key, static_cast<std::uint32_t>(numbers_.size()));
    return {known->second, is_new};
  }

 private:
  std::unordered_map<Key, std::uint32_t, More...> numbers_;
};

/// Leaves those of which `holds` is true, by index.
template <class Holds>
void keep(Flags& some, const Holds& holds) {
  for (std::size_t i = 0; i < some.size(); ++i) {
    if (some[i]) some[i] = holds(i);
  }
}

}  // namespace

Population::Population(const Report& report) : report_(report) {
  add_services();
  add_comms();
  add_roles_and_ports();
  add_namespaces();
  find_vague();
}

void Population::add_services() {
  static const base::Service kNone;
  Numbers<const base::Service*, base::ServiceHash, base::SameService> numbers;
  const auto add = [&](const base::Service* service) {
    const auto [number, is_new] = numbers.of(service != nullptr ? service : &kNone);
    services_.of_owner.push_back(number);
    if (!is_new) return;
    view::Subject subject;
    subject.service = service;
    services_.different.push_back(subject);
    if (service != nullptr) services_.bytes += view::bytes_to_compare(*service);
  };
  for (const Owner& owner : report_.owners) add(view::subject_of(owner.row).service);
  if (!report_.info.seen) return;
  for (const model::SeenProcess& process : *report_.info.seen) add(&process.service);
}

void Population::add_comms() {
  Numbers<std::string_view> numbers;
  const auto add = [&](std::string_view comm) {
    const auto [number, is_new] = numbers.of(comm);
    comms_.of_owner.push_back(number);
    if (!is_new) return;
    view::Subject subject;
    subject.comm = comm;
    comms_.different.push_back(subject);
    comms_.bytes += comm.size();
  };
  for (const Owner& owner : report_.owners) add(view::subject_of(owner.row).comm);
  if (!report_.info.seen) return;
  for (const model::SeenProcess& process : *report_.info.seen) add(process.comm);
}

void Population::add_roles_and_ports() {
  Numbers<int> roles;
  Numbers<int> ports;
  const auto add = [](Values& values, Numbers<int>& numbers, int key, const view::Subject& subject) {
    const auto [number, is_new] = numbers.of(key);
    values.of_owner.push_back(number);
    if (is_new) values.different.push_back(subject);
  };
  for (const Owner& owner : report_.owners) {
    const view::Subject whole = view::subject_of(owner.row);
    view::Subject subject;
    subject.role = whole.role;
    add(roles_, roles, whole.role ? static_cast<int>(*whole.role) : -1, subject);
    subject = {};
    subject.port = whole.port;
    add(ports_, ports, whole.port ? int{*whole.port} : -1, subject);
  }
}

void Population::add_namespaces() {
  // Rows of one id have one name. Rows without an id, of an old file, have their inode number.
  std::map<std::tuple<std::uint32_t, std::optional<std::uint32_t>, std::string_view>, std::uint32_t> numbers;
  const auto add = [&](const view::Subject& subject) {
    const std::tuple key(subject.netns_id.value_or(0), subject.netns, subject.netns_name);
    const auto [known, is_new] = numbers.try_emplace(key, static_cast<std::uint32_t>(numbers.size()));
    netns_.of_owner.push_back(known->second);
    if (!is_new) return;
    netns_.different.push_back(subject);
    netns_.bytes += subject.netns_name.size();
  };
  for (const Owner& owner : report_.owners) {
    view::Subject subject;
    subject.netns = owner.row.netns;
    subject.netns_id = owner.row.netns_id;
    subject.netns_name = owner.row.netns_name;
    add(subject);
  }
  for (const NetnsReport& netns : report_.namespaces) {
    add(view::subject_of(netns.last));
    netns_names_.push_back({netns.last.id, netns.last.netns, netns.last.name});
  }
}

const Population::Values& Population::values_of(view::Key key) const {
  switch (key) {
    case view::Key::kComm:
      return comms_;
    case view::Key::kRole:
      return roles_;
    case view::Key::kPort:
      return ports_;
    case view::Key::kNetns:
      return netns_;
    default:  // labels have no other key
      return services_;
  }
}

/// For each different value whether it is as the term says. Null if that would be too much to compare.
const Flags* Population::results(const view::Term& term) {
  const auto [known, is_new] =
      results_.try_emplace({term.key, term.op, term.pattern.text(), term.number, term.netns_id});
  Flags& results = known->second;
  if (!is_new) return &results;
  const Values& values = values_of(term.key);
  compared_ += values.bytes * term.pattern.cost_per_byte();
  if (compared_ > kMostCompared) {
    results_.erase(known);
    return nullptr;
  }
  results.reserve(values.different.size());
  for (const view::Subject& subject : values.different) results.push_back(view::holds(term, subject));
  return &results;
}

/// `all_terms`: for each key of terms the values that all of them accept.
void Population::find_perhaps(Asked& asked, const std::map<view::Key, Flags>& all_terms) const {
  if (!asked.by_owner || vague_.empty()) return;
  Flags has_the_name(services_.different.size());  // of services
  if (const auto by_name = all_terms.find(view::Key::kComm); by_name != all_terms.end()) {
    for (std::size_t i = 0; i < comms_.of_owner.size(); ++i) {  // owners, and what ran
      if (by_name->second[comms_.of_owner[i]]) has_the_name[services_.of_owner[i]] = true;
    }
  }
  for (const std::size_t i : vague_) {
    asked.perhaps[i] = !asked.owners[i] && std::all_of(all_terms.begin(), all_terms.end(), [&](const auto& of_key) {
      return of_key.second[values_of(of_key.first).of_owner[i]] || is_unknown(i, of_key.first, has_the_name);
    });
  }
}

/// An owner that says all that terms can ask for is chosen by them or not.
void Population::find_vague() {
  const Flags any_name(services_.different.size(), true);
  for (std::size_t i = 0; i < report_.owners.size(); ++i) {
    const auto is_vague = [&](view::Key key) { return is_unknown(i, key, any_name); };
    if (std::any_of(kKeys.begin(), kKeys.end(), is_vague)) vague_.push_back(i);
  }
}

/// Whether nobody knows what this owner has for a key of terms, so that it may be anything. A process without a name
/// is one of those that its service has: `has_the_name` has the services with a process that is asked for.
bool Population::is_unknown(std::size_t owner, view::Key key, const Flags& has_the_name) const {
  const model::Row& row = report_.owners[owner].row;
  if (row.kind == model::RowKind::kBeforeStart) return false;
  // Rows of a namespace without an id, of an old file, have their inode number.
  if (key == view::Key::kNetns) return row.netns_id == model::kForgottenNetns && row.netns.value_or(0) == 0;
  if (row.kind != model::RowKind::kNormal) return true;
  const std::uint32_t service = services_.of_owner[owner];
  const base::Service* const known = services_.different[service].service;
  const bool has_service = known != nullptr && !known->name.empty();
  switch (key) {
    case view::Key::kComm:
      return comms_.different[comms_.of_owner[owner]].comm.empty() && (!has_service || has_the_name[service]);
    case view::Key::kRole:
      return !roles_.different[roles_.of_owner[owner]].role;
    case view::Key::kPort:
      return !ports_.different[ports_.of_owner[owner]].port;
    default:  // labels have no other key
      return !has_service;
  }
}

std::optional<Asked> Population::asked_for(const Budget& budget) {
  const std::size_t owners = report_.owners.size();
  Asked asked{budget, report_, Flags(owners, true), Flags(owners), Flags(report_.namespaces.size(), true)};
  std::map<view::Key, Flags> all_terms;  // of one key each
  for (const view::Term& term : budget.selector.terms()) {
    const Flags* const found = results(term);
    if (found == nullptr) return std::nullopt;
    const auto [both, is_first] = all_terms.try_emplace(term.key, *found);
    if (!is_first) keep(both->second, [&](std::size_t i) { return (*found)[i]; });
  }
  Flags named(services_.of_owner.size(), true);
  for (const auto& of_key : all_terms) {
    const view::Key key = of_key.first;
    const Flags& found = of_key.second;  // not a structured binding: clang 14 captures none
    const std::vector<std::uint32_t>& of_owner = values_of(key).of_owner;
    const auto is_found = [&](std::size_t i) { return found[of_owner[i]]; };
    keep(asked.owners, is_found);
    asked.by_owner = asked.by_owner || key != view::Key::kNetns;
    if (key == view::Key::kService || key == view::Key::kComm) keep(named, is_found);
    if (key == view::Key::kNetns) keep(asked.namespaces, [&](std::size_t i) { return is_found(owners + i); });
  }
  find_perhaps(asked, all_terms);
  const bool names_none = !all_terms.contains(view::Key::kService) && !all_terms.contains(view::Key::kComm);
  asked.names_somebody = names_none || std::find(named.begin(), named.end(), true) != named.end();
  return asked;
}

}  // namespace twtrace::report
