// SPDX-License-Identifier: Apache-2.0
#include "trace/queue_table.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "model/rate.hpp"
#include "trace/translate.hpp"

namespace twtrace::trace {

void QueueTable::count(model::Identity owner, std::uint64_t drops) {
  queues_[model::folded(std::move(owner))].drops += drops;
}

void QueueTable::see(model::Identity owner, const model::Use& queue, const std::optional<tw_settings>& settings) {
  const auto found = queues_.find(model::folded(std::move(owner)));
  if (found == queues_.end()) return;
  Queue& known = found->second;
  if (std::exchange(known.seen, true) && known.fullest.taken >= queue.taken) return;
  known.fullest = queue;
  if (settings) known.settings = settings;
}

void QueueTable::end_look() {
  forget_gone();
  for (auto& [owner, queue] : queues_) {
    if (!std::exchange(queue.seen, false)) queue.fullest.taken = 0;
  }
}

/// Keeps those that dropped most of those that nobody listens on.
void QueueTable::forget_gone() {
  std::vector<std::map<model::Identity, Queue>::iterator> gone;
  for (auto queue = queues_.begin(); queue != queues_.end(); ++queue) {
    if (!queue->second.seen) gone.push_back(queue);
  }
  if (gone.size() <= model::kMostQueues) return;
  const auto first_forgotten = gone.begin() + model::kMostQueues;
  std::nth_element(gone.begin(), first_forgotten, gone.end(),
                   [](const auto& left, const auto& right) { return left->second.drops > right->second.drops; });
  std::for_each(first_forgotten, gone.end(), [this](const auto& queue) { queues_.erase(queue); });
}

void QueueTable::end_interval() {
  for (auto& [owner, queue] : queues_) queue.previous = std::exchange(queue.sampled, queue.drops);
}

std::vector<model::ListenQueue> QueueTable::queues(const NamespaceDirectory& directory, double interval_s) const {
  std::vector<model::ListenQueue> result;
  for (const auto& [owner, queue] : queues_) {
    const auto netns = directory.entries().find(owner.netns);
    if (netns == directory.entries().end()) continue;
    model::ListenQueue& shown = result.emplace_back();
    shown.netns = netns->second.inum;
    shown.netns_id = owner.netns;
    shown.port = owner.port;
    shown.service = base::SharedService(owner.service);
    shown.comm = owner.comm;
    shown.queue = queue.fullest;
    shown.drops = queue.drops;
    shown.drops_per_s = model::rate(queue.sampled, queue.previous, interval_s);
    if (!queue.settings) continue;
    shown.somaxconn = to_setting(queue.settings->somaxconn);
    shown.syn_backlog = to_setting(queue.settings->syn_backlog);
  }
  std::stable_sort(result.begin(), result.end(), [](const model::ListenQueue& left, const model::ListenQueue& right) {
    return std::tie(left.drops_per_s, left.drops) > std::tie(right.drops_per_s, right.drops);
  });
  if (result.size() > model::kMostQueues) result.resize(model::kMostQueues);
  return result;
}

}  // namespace twtrace::trace
