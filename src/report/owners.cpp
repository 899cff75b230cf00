// SPDX-License-Identifier: Apache-2.0
#include "report/owners.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "view/row_id.hpp"
#include "view/row_list.hpp"

namespace twtrace::report {
namespace {

using model::Counters;
using model::Row;
using model::RowKind;

std::uint64_t arrivals(const Counters& counts) { return counts.created() + counts.refused(); }

/// What remote ends are ordered by.
std::pair<std::uint64_t, std::uint64_t> weight(const Counters& counts) { return {arrivals(counts), counts.harm()}; }

/// Sorts by name if the numbers are equal, so that a report is always the same.
bool comes_before(const Owner& left, const Owner& right) {
  static const std::string kNoName;
  const auto rank = [](const Owner& owner) {
    const Row& row = owner.row;
    return std::tuple(arrivals(row.counts), row.counts.created(), owner.before_start, row.counts.harm());
  };
  const auto comm = [](const Row& row) -> const std::string& { return row.process ? row.process->comm : kNoName; };
  const auto name = [&](const Owner& owner) {
    const Row& row = owner.row;
    return std::tie(row.kind, row.netns, row.netns_id, row.service, comm(row), row.role, row.port, row.attribution);
  };
  if (rank(left) != rank(right)) return rank(left) > rank(right);
  return name(left) < name(right);
}

bool is_loopback(const model::Peer& peer) { return peer.address == "::1" || peer.address.starts_with("127."); }

/// Counts of the whole capture, and of each phase.
struct Part {
  Counters all;
  std::vector<Counters> phases;
};

Owner unattributed(const NetnsReport& netns, Part part) {
  Owner owner;
  owner.row.kind = RowKind::kUnattributed;
  owner.row.netns = netns.last.netns;
  owner.row.netns_id = netns.last.id;
  owner.row.netns_name = netns.last.name;
  owner.row.attribution = model::Attribution::kNone;
  owner.row.counts = part.all;
  owner.phases = std::move(part.phases);
  return owner;
}

/// Moves as much of `amount` out of `from` as is there. Leaves the rest in `amount`.
void take(Counters& amount, Counters& from) {
  Counters taken = from;
  from -= amount;
  taken -= from;
  amount -= taken;
}

void take(Part& amount, Part& from) {
  take(amount.all, from.all);
  for (std::size_t i = 0; i < from.phases.size(); ++i) take(amount.phases[i], from.phases[i]);
}

/// Indices into Report::namespaces, by id and inode number.
using NetnsIndex = std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t>;

NetnsIndex index_of(const std::vector<NetnsReport>& namespaces) {
  NetnsIndex index;
  for (std::size_t i = 0; i < namespaces.size(); ++i) index[{namespaces[i].last.id, namespaces[i].last.netns}] = i;
  return index;
}

std::optional<std::size_t> find_netns(const NetnsIndex& index, const Row& row) {
  const auto found = index.find({row.netns_id, row.netns.value_or(0)});
  return found == index.end() ? std::nullopt : std::optional(found->second);
}

/// A capture keeps no more of a namespace than its name. That is a container's if an owner in there runs in a container
/// of this name, and a pod's if it has a slash.
void tell_containers(std::vector<NetnsReport>& namespaces, const NetnsIndex& index, const std::vector<Owner>& owners) {
  for (NetnsReport& netns : namespaces) netns.last.is_container = netns.last.name.find('/') != std::string::npos;
  for (const Owner& owner : owners) {
    const auto netns = owner.row.service ? find_netns(index, owner.row) : std::nullopt;
    if (!netns) continue;
    model::NetnsRow& last = namespaces[*netns].last;
    last.is_container =
        last.is_container || (!last.name.empty() && base::container_name(*owner.row.service) == last.name);
  }
}

/// Takes `amount` out of what is left of a namespace, but for `kept`.
void take_but(Part& amount, Part& from, Counters kept) {
  Counters keeps = from.all;
  keeps -= kept;
  kept = from.all;
  kept -= keeps;  // no more than is there
  from.all = keeps;
  take(amount, from);
  from.all += kept;
}

/// What the namespaces counted but no row did, so that all rows sum to the totals. The rows of namespaces that were
/// forgotten during the capture belong to model::kForgottenNetns. So they are taken out of what the namespaces counted
/// that are gone, and last out of what these themselves say that no owner took. The namespaces get their remainder,
/// too.
std::vector<Owner> remainders(Report& report, const NetnsIndex& index, const std::vector<Owner>& owners) {
  std::vector<Part> rest;
  rest.reserve(report.namespaces.size());
  for (const NetnsReport& netns : report.namespaces) {
    Part& part = rest.emplace_back(Part{netns.last.counts, {}});
    part.phases.reserve(netns.phases.size());
    for (const Amounts& amounts : netns.phases) part.phases.push_back(amounts.counts);
  }
  Part forgotten{{}, std::vector<Counters>(report.phases.size())};
  for (const Owner& named : owners) {
    Part amount{named.row.counts, named.phases};
    if (const auto netns = find_netns(index, named.row)) take(amount, rest[*netns]);
    if (named.row.netns_id != model::kForgottenNetns) continue;
    forgotten.all += amount.all;
    for (std::size_t i = 0; i < amount.phases.size(); ++i) forgotten.phases[i] += amount.phases[i];
  }
  for (const bool keeps : {true, false}) {
    for (const bool gone : {true, false}) {
      for (std::size_t i = 0; i < rest.size(); ++i) {
        const model::NetnsRow& netns = report.namespaces[i].last;
        if (netns.gone == gone) take_but(forgotten, rest[i], keeps ? netns.unattributed : Counters{});
      }
    }
  }
  std::vector<Owner> left;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    report.namespaces[i].without_row = rest[i].all;
    if (rest[i].all != Counters{}) left.push_back(unattributed(report.namespaces[i], std::move(rest[i])));
  }
  return left;
}

}  // namespace

void OwnerCollector::begin(const model::Source& source) {
  const view::RowList rows(source, view_, 1);
  for (const view::SortItem& row : rows.items()) {
    if (row.kind == RowKind::kBeforeStart) before_start_.push_back(rows.row_of(row));
  }
}

void OwnerCollector::begin_quiet(const model::Source& source, std::int64_t quiet_s) {
  const view::RowList rows(source, view_, 1);
  Quiet& quiet = quiets_.emplace_back(Quiet{quiet_s, {}});
  for (const view::SortItem& row : rows.items()) quiet.closed_before[rows.id_of(row)] = arrivals(rows.counts_of(row));
}

std::int64_t OwnerCollector::quiet_s(const model::Row& row, double capture_s) const {
  const std::uint64_t closed = arrivals(row.counts);
  if (closed == 0) return 0;
  for (const Quiet& quiet : quiets_) {
    const auto before = quiet.closed_before.find(row.id);
    if (before == quiet.closed_before.end() || before->second != closed) continue;
    const auto seconds = static_cast<double>(quiet.seconds);
    const double expected = static_cast<double>(closed) * seconds / std::max(capture_s - seconds, 1.0);
    if (quiet.seconds == kQuietS.front() || expected >= kExpectedInQuiet) return quiet.seconds;
  }
  return 0;
}

/// A row that is not there any more has become a part of another one, which has its counts.
void OwnerCollector::take_moves(std::size_t phase) {
  for (auto& [id, course] : courses_) {
    if (course.looks != looks_) merged_[phase] += std::exchange(course.before, Counters{});
  }
}

void OwnerCollector::add(const model::Source& source, std::size_t phase, bool last) {
  ++looks_;
  const view::RowList rows(source, view_, 1);
  if (last) rows_.reserve(rows.items().size());
  for (const view::SortItem& row : rows.items()) {
    if (row.kind == RowKind::kUnattributed || row.kind == RowKind::kBeforeStart) continue;
    const Counters counts = rows.counts_of(row);
    Course& course = courses_[rows.id_of(row)];
    course.phases.resize(phases_);
    course.phases[phase] = counts;
    course.phases[phase] -= course.before;
    course.before -= counts;  // what it had counted, and another row has now
    merged_[phase] += course.before;
    course.before = counts;
    course.looks = looks_;
    if (last) rows_.push_back(rows.row_of(row));
  }
  take_moves(phase);
  if (last && purpose_ == Purpose::kReport) add_peers(source);
}

void OwnerCollector::add_peers(const model::Source& source) {
  std::map<std::pair<std::uint32_t, model::Peer>, std::map<std::uint64_t, std::uint64_t>> created;
  std::map<std::pair<std::uint64_t, model::Peer>, PeerCount> peers;
  source.visit_peers([&](const model::Fact& fact) {
    if (fact.peer == nullptr || fact.kind == model::RowKind::kBeforeStart) return;
    const std::uint64_t id = view::row_id(fact, model::Group::kProcess);
    PeerCount& peer = peers[{id, *fact.peer}];
    peer.counts += fact.counts;
    peer.row_id = id;
    peer.netns_id = fact.identity.netns;
    peer.role = fact.identity.role;
    peer.peer = *fact.peer;
    if (fact.identity.role != model::Role::kClient) return;
    created[{fact.identity.netns, *fact.peer}][id] += fact.counts.created();
  });
  for (auto& [key, peer] : peers) peers_.push_back(std::move(peer));
  for (const auto& [destination, by_row] : created) {
    for (const auto& [id, count] : by_row) {
      Toward& most = toward_[destination];
      if (count > most.created) most = {id, count};
    }
  }
}

/// Only a loopback address says that the other end is in the same namespace. A client knows the port of the server
/// there, and the server's row has that port.
std::vector<PeerPart> OwnerCollector::peer_parts(const std::vector<Owner>& owners,
                                                 const std::unordered_map<std::uint64_t, std::size_t>& by_row) const {
  using End = std::pair<std::uint32_t, std::optional<std::uint16_t>>;
  struct Largest {
    std::optional<std::size_t> owner;
    std::uint64_t arrivals = 0;
  };
  std::map<End, Largest> servers;
  std::map<End, Largest> clients;
  const auto raise = [&owners](Largest& most, std::uint64_t count, std::size_t owner) {
    const Row& row = owners[owner].row;
    if (!row.process || row.process->comm.empty() || (most.owner && count <= most.arrivals)) return;
    most = {owner, count};
  };
  for (std::size_t i = 0; i < owners.size(); ++i) {
    const Row& row = owners[i].row;
    if (row.kind != RowKind::kNormal || row.role != model::Role::kServer || !row.port) continue;
    raise(servers[{row.netns_id, row.port}], arrivals(row.counts), i);
  }
  for (const PeerCount& peer : peers_) {
    const auto owner = by_row.find(peer.row_id);
    if (owner == by_row.end() || peer.role != model::Role::kClient || !is_loopback(peer.peer)) continue;
    raise(clients[{peer.netns_id, peer.peer.port}], arrivals(peer.counts), owner->second);
  }
  std::vector<PeerPart> parts;
  for (const PeerCount& peer : peers_) {
    const auto owner = by_row.find(peer.row_id);
    if (owner == by_row.end() || weight(peer.counts) == std::pair<std::uint64_t, std::uint64_t>{}) continue;
    PeerPart& part = parts.emplace_back(PeerPart{owner->second, peer.peer, peer.counts, {}});
    if (!is_loopback(peer.peer)) continue;
    const bool is_client = peer.role == model::Role::kClient;
    const auto& ends = is_client ? servers : clients;
    const auto end = ends.find({peer.netns_id, is_client ? peer.peer.port : owners[owner->second].row.port});
    if (end != ends.end() && end->second.owner) part.other_end = owners[*end->second.owner].row;
  }
  std::sort(parts.begin(), parts.end(), [](const PeerPart& left, const PeerPart& right) {
    const auto of_left = weight(left.counts);
    const auto of_right = weight(right.counts);
    return of_left != of_right ? of_left > of_right
                               : std::tie(left.owner, left.peer) < std::tie(right.owner, right.peer);
  });
  return parts;
}

void OwnerCollector::finish(Report& report) && {
  const NetnsIndex index = index_of(report.namespaces);
  std::vector<Owner> owners;
  owners.reserve(rows_.size());
  for (Row& row : rows_) {
    Owner owner;
    if (const auto netns = find_netns(index, row)) owner.busiest_arrivals = report.namespaces[*netns].busiest_arrivals;
    owner.phases = std::move(courses_.at(row.id).phases);
    owner.quiet_s = quiet_s(row, report.seconds);
    owner.row = std::move(row);
    if (owner.row.counts != Counters{}) owners.push_back(std::move(owner));
  }
  std::vector<Owner> rest = remainders(report, index, owners);
  owners.reserve(owners.size() + rest.size() + before_start_.size());
  std::move(rest.begin(), rest.end(), std::back_inserter(owners));
  std::uint64_t all = arrivals(report.totals);
  for (Row& row : before_start_) {
    Owner& owner = owners.emplace_back();
    owner.before_start = row.live.value_or(0);
    owner.phases.resize(phases_);
    owner.row = std::move(row);
    all += owner.before_start;
  }
  for (Owner& owner : owners) {
    const std::uint64_t part = arrivals(owner.row.counts) + owner.before_start;
    owner.share = all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
  }
  tell_containers(report.namespaces, index, owners);
  std::sort(owners.begin(), owners.end(), comes_before);
  std::unordered_map<std::uint64_t, std::size_t> by_row;
  for (std::size_t i = 0; i < owners.size(); ++i) by_row.emplace(owners[i].row.id, i);
  for (PortPeak& peak : report.ports) {
    if (!peak.use.netns_id) continue;  // of an old capture: whose port it is cannot be told
    const auto most = toward_.find({*peak.use.netns_id, peak.use.destination});
    if (most == toward_.end()) continue;
    const auto owner = by_row.find(most->second.row_id);
    if (owner == by_row.end()) continue;
    peak.owner = owner->second;
    peak.created = most->second.created;
  }
  report.peers = peer_parts(owners, by_row);
  report.owners = std::move(owners);
  for (const auto& [id, course] : courses_) {
    if (course.looks == looks_) continue;  // it is there
    for (std::size_t i = 0; i < course.phases.size(); ++i) merged_[i] += course.phases[i];
  }
  report.merged = std::move(merged_);
}

}  // namespace twtrace::report
