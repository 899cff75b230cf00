// SPDX-License-Identifier: Apache-2.0
// The rows of one group, in order. A row is made only when somebody looks at it. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "view/row_key.hpp"
#include "view/service_names.hpp"
#include "view/sort.hpp"
#include "view/view.hpp"

namespace twtrace::view {

/// What goes into one row.
struct RowParts {
  RowKey key;
  const model::NetnsInfo* netns = nullptr;
  model::Counters counts;
  model::Counters previous;
  model::Counters zero;
  std::optional<std::uint64_t> live = 0;
  std::pair<std::uint32_t, std::uint64_t> process;                      ///< pid and start of the first one; pid 0: none
  std::vector<std::pair<std::uint32_t, std::uint64_t>> more_processes;  ///< may contain repetitions until all is added
  std::uint32_t folded_pids = 0;
  std::optional<std::uint32_t> ports = 0;
  std::optional<std::uint32_t> uid;
  bool uid_differs = false;
  std::optional<model::Attribution> attribution;
  bool attribution_differs = false;
  bool all_exited = true;
  model::Row::Ended ended;
  bool cgroup_differs = false;  ///< sub-cgroups of one service

  std::uint32_t namespaces = 1;  ///< how many namespaces kGone merges; then `netns` is null

  void add(const model::Fact& fact);
  void forget_repeated_processes();
  std::uint32_t pids() const;
};

/// Groups and filters at once, sorts as far as somebody looks, and makes a row on request. With ten thousand rows this
/// takes a few milliseconds instead of tens. Valid until the source changes. Movable, but not copyable. Not
/// thread-safe, because reading it sorts it.
class RowList {
 public:
  RowList() = default;
  /// The caller applies View::max_rows. With Group::kNetns each of `namespaces` has a row, even if nothing was counted
  /// there. Those that model::folded() leaves out share one.
  RowList(const model::Source& source, const View& view, double interval_s,
          const std::vector<model::NetnsRow>& namespaces = {});
  RowList(RowList&&) noexcept = default;
  RowList& operator=(RowList&&) noexcept = default;
  RowList(const RowList&) = delete;
  RowList& operator=(const RowList&) = delete;
  ~RowList() = default;

  std::size_t size() const { return items_.size(); }
  /// In the view's order, from 0 on; the index is less than size().
  model::Row at(std::size_t index) const;
  std::uint64_t id_at(std::size_t index) const;
  /// Up to `count` rows from `first` on.
  std::vector<model::Row> rows(std::size_t first, std::size_t count) const;
  /// The index of the row with this Row::id.
  std::optional<std::size_t> find(std::uint64_t id) const;

  /// The sort keys of all rows, unsorted. `index` is for row_of().
  const std::vector<SortItem>& items() const { return items_; }
  model::Row row_of(const SortItem& item) const;
  /// Row::id and Row::counts, without the rest of the row.
  std::uint64_t id_of(const SortItem& item) const { return parts_[item.index].key.hash; }
  model::Counters counts_of(const SortItem& item) const;

  /// Removes rows.
  void keep_if(const std::function<bool(const SortItem&)>& keep);
  /// Gives rows their Row::use, and sorts by it if that is the view's order.
  void set_use(const std::function<std::optional<model::Use>(const SortItem&)>& use_of);

 private:
  RowParts& find_or_add(const RowKey& key);
  RowParts* find(const RowKey& key);
  void group(const model::Source& source, const View& view);
  void split_by_peer(const model::Source& source, const Selector& selector);
  void add_unattributed(const Selector& selector);
  void add_without_facts(const std::vector<model::NetnsRow>& namespaces, const Selector& selector);
  void fold_gone(const std::vector<model::NetnsRow>& namespaces);
  void make_items(const View& view);
  void reindex(std::size_t capacity);
  const SortItem& ordered(std::size_t index) const;
  const ServiceLabels& labels() const;
  void put_service(model::Row& row, const RowParts& parts) const;
  const model::NetnsInfo* netns_of(std::uint32_t id);

  double interval_s_ = 0;
  RowOrder order_;
  std::vector<model::NetnsInfo> namespaces_;
  std::unordered_map<std::uint32_t, const model::NetnsInfo*> netns_by_id_;
  const model::NetnsInfo* last_netns_ = nullptr;  ///< found last, and usually needed again
  std::vector<RowParts> parts_;
  std::vector<std::uint32_t> index_;  ///< open addressing by RowKey::hash: place in parts_ + 1; 0: free
  std::vector<SortItem> items_;
  mutable std::vector<const SortItem*> sorted_;  ///< all of them; sorted up to sorted_until_
  mutable std::size_t sorted_until_ = 0;
  mutable std::optional<ServiceLabels> labels_;  ///< of all rows; made together with the first row
};

}  // namespace twtrace::view
