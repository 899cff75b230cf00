// SPDX-License-Identifier: Apache-2.0
#include "view/row_list.hpp"

#include <algorithm>
#include <bit>
#include <unordered_set>

#include "model/gone.hpp"
#include "model/rate.hpp"
#include "view/row_id.hpp"

namespace twtrace::view {
namespace {

constexpr std::size_t kFirstCapacity = 64;
/// More than fit on a screen. Rows behind these are sorted only when somebody goes there.
constexpr std::size_t kAtOnce = 256;

/// Takes up to `amount` out of `from`, field by field; returns what was taken.
model::Counters take(model::Counters& from, const model::Counters& amount) {
  model::Counters taken = from;
  from -= amount;
  taken -= from;
  return taken;
}

/// Takes up to `amount` out of `from`, which may not be known; returns what was taken.
std::uint64_t take(std::optional<std::uint64_t>& from, std::uint64_t amount) {
  const std::uint64_t taken = std::min(from.value_or(0), amount);
  if (from) *from -= taken;
  return taken;
}

/// Makes the row of a peer from the row of its processes: the same processes, without their counts.
RowParts without_counts(const RowParts& whole) {
  RowParts parts = whole;
  parts.counts = parts.previous = parts.zero = model::Counters{};
  parts.live.reset();
  return parts;
}

model::ProcessId process_of(const RowParts& parts) {
  model::ProcessId process;
  process.comm = parts.key.who->comm;
  process.pids = parts.pids();
  if (process.pids == 1 && parts.folded_pids == 0) process.pid = parts.process.first;
  if (!parts.uid_differs) process.uid = parts.uid;
  process.exited = process.pids > 0 && parts.all_exited;
  return process;
}

/// A row as it stands, without the processes that it merges.
Subject subject_of(const RowParts& parts) {
  const model::Fact fact{*parts.key.who, parts.key.kind, nullptr, parts.counts, parts.previous, parts.zero, {}};
  Subject subject = view::subject_of(fact, *parts.netns);
  subject.pid.reset();
  return subject;
}

/// Rates come from the real counts. Zeroing affects only the counts.
model::Counters shown_counts(const RowParts& parts) {
  model::Counters counts = parts.counts;
  return counts -= parts.zero;
}

/// Whether peers have left something of the row of their processes.
bool has_remainder(const RowParts& parts) {
  switch (parts.key.kind) {
    case model::RowKind::kNormal:
      return parts.counts != model::Counters{};
    case model::RowKind::kBeforeStart:
      return parts.live != 0U;
    default:
      return true;
  }
}

bool is_silent(const RowParts& parts) {
  const model::Counters& all = parts.counts;
  return all.created() + all.refused() + all.harm() + parts.live.value_or(0) == 0;
}

}  // namespace

void RowParts::add(const model::Fact& fact) {
  counts += fact.counts;
  previous += fact.previous;
  zero += fact.zero;
  live = live && fact.live ? std::optional(*live + *fact.live) : std::nullopt;
  ports = ports && fact.ports ? std::optional(*ports + *fact.ports) : std::nullopt;
  const model::Identity& identity = fact.identity;
  if (identity.attribution == model::Attribution::kCloser) {
    if (!identity.pid) {
      folded_pids += fact.pids;
    } else if (const std::pair found(*identity.pid, identity.start_ns); process.first == 0) {
      process = found;
    } else if (process != found) {
      more_processes.push_back(found);
    }
    all_exited = all_exited && fact.exited;
    if (fact.exited) {
      ended.closed += fact.counts.created() + fact.counts.refused();
      ended.fin_wait2 += fact.counts.fin_wait2;
      ended.pids += fact.pids;
    }
  }
  cgroup_differs = cgroup_differs || identity.service.cgroup != key.who->service.cgroup;
  uid_differs = uid_differs || (uid && *uid != identity.uid);
  uid = identity.uid;
  attribution_differs = attribution_differs || (attribution && *attribution != identity.attribution);
  attribution = identity.attribution;
}

void RowParts::forget_repeated_processes() {
  std::sort(more_processes.begin(), more_processes.end());
  more_processes.erase(std::unique(more_processes.begin(), more_processes.end()), more_processes.end());
}

std::uint32_t RowParts::pids() const {
  return (process.first != 0 ? 1U : 0U) + static_cast<std::uint32_t>(more_processes.size()) + folded_pids;
}

RowList::RowList(const model::Source& source, const View& view, double interval_s,
                 const std::vector<model::NetnsRow>& namespaces)
    : interval_s_(interval_s), order_{view.sort, view.reverse}, namespaces_(source.namespaces()) {
  for (const model::NetnsInfo& netns : namespaces_) netns_by_id_.emplace(netns.id, &netns);
  group(source, view);
  if (view.group == model::Group::kPeer) split_by_peer(source, view.selector);
  index_ = {};
  add_unattributed(view.selector);
  if (view.group == model::Group::kNetns) {
    add_without_facts(namespaces, view.selector);
    fold_gone(namespaces);
  }
  make_items(view);
}

const model::NetnsInfo* RowList::netns_of(std::uint32_t id) {
  if (last_netns_ != nullptr && last_netns_->id == id) return last_netns_;
  const auto found = netns_by_id_.find(id);
  return last_netns_ = found == netns_by_id_.end() ? nullptr : found->second;
}

void RowList::reindex(std::size_t capacity) {
  index_.assign(capacity, 0);
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    std::size_t at = parts_[i].key.hash & (capacity - 1);
    while (index_[at] != 0) at = (at + 1) & (capacity - 1);
    index_[at] = static_cast<std::uint32_t>(i + 1);
  }
}

RowParts* RowList::find(const RowKey& key) {
  if (index_.empty()) return nullptr;
  for (std::size_t at = key.hash & (index_.size() - 1); index_[at] != 0; at = (at + 1) & (index_.size() - 1)) {
    RowParts& parts = parts_[index_[at] - 1];
    if (is_same(parts.key, key)) return &parts;
  }
  return nullptr;
}

RowParts& RowList::find_or_add(const RowKey& key) {
  if (RowParts* known = find(key)) return *known;
  parts_.emplace_back().key = key;
  if (parts_.size() * 2 > index_.size()) {
    reindex(std::max(kFirstCapacity, index_.size() * 2));
  } else {
    std::size_t at = key.hash & (index_.size() - 1);
    while (index_[at] != 0) at = (at + 1) & (index_.size() - 1);
    index_[at] = static_cast<std::uint32_t>(parts_.size());
  }
  return parts_.back();
}

void RowList::group(const model::Source& source, const View& view) {
  // A plain word may be found in the peer, which facts do not have yet.
  const bool by_peer = view.group == model::Group::kPeer;
  const Selector selector = by_peer ? view.selector.without(Key::kWord) : view.selector;
  if (view.group == model::Group::kPid ||
      view.group == model::Group::kProcess) {  // the other groups have far fewer rows than facts
    parts_.reserve(source.size_hint());
    reindex(std::bit_ceil(std::max(kFirstCapacity, source.size_hint() * 2)));
  }
  source.visit([&](const model::Fact& fact) {
    const model::NetnsInfo* netns = netns_of(fact.identity.netns);
    if (netns == nullptr || (!selector.empty() && !selector.accepts(view::subject_of(fact, *netns)))) return;
    RowParts& parts = find_or_add(key_of(fact, view.group));
    parts.netns = netns;
    parts.add(fact);
  });
}

/// Peers replace the rows of their processes. The remainder of each stays as a row without a peer.
void RowList::split_by_peer(const model::Source& source, const Selector& selector) {
  const Selector terms = selector.without(Key::kWord);
  const Selector words = selector.only(Key::kWord);
  RowList by_peer;
  source.visit_peers([&](const model::Fact& fact) {
    const model::NetnsInfo* netns = netns_of(fact.identity.netns);
    if (netns == nullptr || !terms.accepts(view::subject_of(fact, *netns))) return;
    const RowKey key = key_of(fact, model::Group::kPeer);
    RowParts* whole = find(without_peer(key));
    if (whole == nullptr) return;
    // Takes no more than is left, because a part of the peer's counts may have gone to (other).
    const model::Counters counts = take(whole->counts, fact.counts);
    const model::Counters previous = take(whole->previous, fact.previous);
    const model::Counters zero = take(whole->zero, fact.zero);
    const bool before_start = fact.kind == model::RowKind::kBeforeStart;
    const std::uint64_t live = before_start ? take(whole->live, fact.live.value_or(0)) : 0;
    if (before_start && live == 0) return;
    if (!words.accepts(view::subject_of(fact, *netns))) return;
    RowParts* parts = by_peer.find(key);
    if (parts == nullptr) {
      parts = &by_peer.find_or_add(key);
      *parts = without_counts(*whole);
      parts->key = key;
    }
    parts->counts += counts;
    parts->previous += previous;
    parts->zero += zero;
    if (before_start) parts->live = parts->live.value_or(0) + live;
  });
  for (RowParts& parts : parts_) {
    if (!words.accepts(subject_of(parts)) || !has_remainder(parts)) continue;
    if (parts.key.kind != model::RowKind::kBeforeStart) parts.live.reset();  // part of it is a peer's
    by_peer.parts_.push_back(std::move(parts));
  }
  parts_ = std::move(by_peer.parts_);
}

void RowList::add_unattributed(const Selector& selector) {
  for (const model::NetnsInfo& netns : namespaces_) {
    Subject subject;
    subject.kind = model::RowKind::kUnattributed;
    subject.netns = netns.inum;
    subject.netns_id = netns.id;
    subject.netns_name = netns.name;
    if (netns.unattributed == model::Counters{} || !selector.accepts(subject)) continue;
    RowParts& parts = parts_.emplace_back();
    parts.key.kind = model::RowKind::kUnattributed;
    parts.key.hash = netns_row_id(parts.key.kind, netns.id);
    parts.netns = &netns;
    parts.counts = netns.unattributed;
    parts.previous = netns.unattributed_previous;
    parts.live.reset();
    parts.attribution = model::Attribution::kNone;
  }
}

void RowList::add_without_facts(const std::vector<model::NetnsRow>& namespaces, const Selector& selector) {
  std::unordered_set<std::uint32_t> have;
  for (const RowParts& parts : parts_) {
    if (parts.key.kind == model::RowKind::kNormal) have.insert(parts.netns->id);
  }
  for (const model::NetnsRow& netns : namespaces) {
    const model::NetnsInfo* info = netns_of(netns.id);
    if (info == nullptr || have.contains(netns.id) || !selector.accepts(view::subject_of(netns))) continue;
    RowParts& parts = parts_.emplace_back();
    parts.key.hash = netns_row_id(parts.key.kind, netns.id);
    parts.netns = info;
    if (!netns.pre_existing) parts.live.reset();  // no scan has found out yet
  }
}

void RowList::fold_gone(const std::vector<model::NetnsRow>& namespaces) {
  std::unordered_set<std::uint32_t> folded;
  const std::vector<bool> left_out = model::folded(namespaces);
  for (std::size_t i = 0; i < namespaces.size(); ++i) {
    if (left_out[i]) folded.insert(namespaces[i].id);
  }
  RowParts gone;
  gone.key.kind = model::RowKind::kGone;
  gone.key.hash = gone_row_id();
  std::unordered_set<std::uint32_t> merged;
  std::erase_if(parts_, [&](const RowParts& parts) {
    if (!folded.contains(parts.netns->id)) return false;
    merged.insert(parts.netns->id);
    gone.counts += parts.counts;
    gone.previous += parts.previous;
    gone.zero += parts.zero;
    gone.live = gone.live && parts.live ? std::optional(*gone.live + *parts.live) : std::nullopt;
    return true;
  });
  if (merged.empty()) return;
  gone.namespaces = static_cast<std::uint32_t>(merged.size());
  parts_.push_back(std::move(gone));
}

void RowList::make_items(const View& view) {
  static const std::string kNoName;
  static const base::Service kNoService;
  items_.reserve(parts_.size());
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    RowParts& parts = parts_[i];
    if (!parts.more_processes.empty()) parts.forget_repeated_processes();
    const model::Counters counts = shown_counts(parts);
    const double created_per_s = model::rate(parts.counts.created(), parts.previous.created(), interval_s_);
    const double overflow_per_s = model::rate(parts.counts.overflow(), parts.previous.overflow(), interval_s_);
    const bool is_namespace = view.group == model::Group::kNetns && parts.key.kind != model::RowKind::kUnattributed;
    if (view.leave_out_silent && !is_namespace && is_silent(parts)) continue;
    if (!view.selector.accepts(Amounts{counts, parts.live, created_per_s, overflow_per_s})) continue;
    const bool of_program = parts.key.by.program;
    SortItem& item = items_.emplace_back();
    item.index = i;
    item.kind = parts.key.kind;
    item.created_per_s = created_per_s;
    item.overflow_per_s = overflow_per_s;
    item.no_port = counts.no_port_connect();
    item.no_port_bind = counts.no_port_bind;
    item.queue_drops = counts.queue_drops;
    item.felt = counts.resets_felt;
    item.no_port_per_s = model::rate(parts.counts.no_port_connect(), parts.previous.no_port_connect(), interval_s_);
    item.no_port_bind_per_s = model::rate(parts.counts.no_port_bind, parts.previous.no_port_bind, interval_s_);
    item.created = counts.created();
    item.overflow = counts.overflow();
    item.fin_wait2 = counts.fin_wait2;
    item.live = parts.live;
    item.comm = of_program ? &parts.key.who->comm : &kNoName;
    item.service = parts.key.by.service ? &parts.key.who->service : &kNoService;
    if (of_program && parts.pids() == 1 && parts.folded_pids == 0) item.pid = parts.process.first;
    if (of_program && !parts.uid_differs) item.uid = parts.uid;
    if (parts.key.by.port) {
      item.role = parts.key.who->role;
      if (parts.key.who->port != 0) item.port = parts.key.who->port;
    }
    if (parts.netns != nullptr) {
      item.netns = parts.netns->inum;
      item.netns_id = parts.netns->id;
    }
    item.peer = parts.key.peer;
    if (parts.key.kind != model::RowKind::kOther && !parts.attribution_differs) item.attribution = parts.attribution;
    order_.set_rank(item);
  }
  sorted_.reserve(items_.size());
  for (const SortItem& item : items_) sorted_.push_back(&item);
}

const SortItem& RowList::ordered(std::size_t index) const {
  if (index >= sorted_until_) {
    const auto less = [this](const SortItem* left, const SortItem* right) { return order_(*left, *right); };
    sorted_until_ = index < kAtOnce ? std::min(kAtOnce, sorted_.size()) : sorted_.size();
    std::partial_sort(sorted_.begin(), sorted_.begin() + static_cast<std::ptrdiff_t>(sorted_until_), sorted_.end(),
                      less);
  }
  return *sorted_[index];
}

const ServiceLabels& RowList::labels() const {
  if (!labels_) {
    labels_.emplace();
    for (const RowParts& parts : parts_) {
      if (parts.key.by.service) labels_->add(parts.key.who->service);
    }
  }
  return *labels_;
}

void RowList::put_service(model::Row& row, const RowParts& parts) const {
  row.service = parts.key.who->service;
  if (std::string label = labels().label(*row.service); label != row.service->name)
    row.service_label = std::move(label);
  if (!parts.cgroup_differs) return;
  row.service->cgroup = row.service->own_cgroup();
  row.service->inner_bytes = 0;
}

model::Counters RowList::counts_of(const SortItem& item) const { return shown_counts(parts_[item.index]); }

model::Row RowList::row_of(const SortItem& item) const {
  const RowParts& parts = parts_[item.index];
  const RowKey& key = parts.key;
  model::Row row;
  row.id = key.hash;
  row.kind = key.kind;
  row.namespaces = parts.namespaces;
  if (parts.netns != nullptr) {
    row.netns = parts.netns->inum;
    row.netns_id = parts.netns->id;
    row.netns_name = parts.netns->name;
  }
  const bool nobody = key.kind == model::RowKind::kBeforeStart && key.who->service.name.empty();
  if (key.by.service && !nobody) put_service(row, parts);
  row.role = item.role;
  row.port = item.port;
  if (key.by.port && key.kind == model::RowKind::kNormal && key.who->port == 0) row.ports = parts.ports;
  if (key.peer != nullptr) row.peer = *key.peer;
  if (key.by.program) row.process = process_of(parts);
  row.attribution = item.attribution;
  row.live = parts.live;
  row.counts = shown_counts(parts);
  row.ended = parts.ended;
  row.created_per_s = item.created_per_s;
  row.overflow_per_s = item.overflow_per_s;
  row.use = item.use;
  return row;
}

model::Row RowList::at(std::size_t index) const { return row_of(ordered(index)); }

std::uint64_t RowList::id_at(std::size_t index) const { return id_of(ordered(index)); }

std::vector<model::Row> RowList::rows(std::size_t first, std::size_t count) const {
  std::vector<model::Row> result;
  if (first >= size()) return result;
  count = std::min(count, size() - first);
  result.reserve(count);
  if (count != 0) ordered(first + count - 1);
  for (std::size_t i = 0; i < count; ++i) result.push_back(at(first + i));
  return result;
}

std::optional<std::size_t> RowList::find(std::uint64_t id) const {
  for (std::size_t i = 0; i < size(); ++i) {
    if (id_at(i) == id) return i;
  }
  return std::nullopt;
}

void RowList::keep_if(const std::function<bool(const SortItem&)>& keep) {
  std::erase_if(items_, [&](const SortItem& item) { return !keep(item); });
  sorted_.clear();
  for (const SortItem& item : items_) sorted_.push_back(&item);
  sorted_until_ = 0;
}

void RowList::set_use(const std::function<std::optional<model::Use>(const SortItem&)>& use_of) {
  for (SortItem& item : items_) {
    item.use = use_of(item);
    order_.set_rank(item);
  }
  sorted_until_ = 0;
}

}  // namespace twtrace::view
