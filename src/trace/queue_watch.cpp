// SPDX-License-Identifier: Apache-2.0
#include "trace/queue_watch.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "base/log.hpp"
#include "model/rate.hpp"

namespace twtrace::trace {
namespace {

std::optional<std::uint64_t> known(std::uint32_t value) {
  return value == TW_SETTING_UNKNOWN ? std::nullopt : std::optional<std::uint64_t>(value);
}

}  // namespace

base::Result<QueueWatch::Readings> QueueWatch::read_namespaces(loader::Readers& readers) {
  const auto pass = readers.namespaces().read(true, true);
  if (!pass) return tl::unexpected(pass.error());
  Readings readings;
  for (const tw_namespace_reading& reading : *pass) {
    readings.drops[reading.id] = reading.counters.listen_drops;
    readings.settings[reading.id] = reading.settings;
  }
  return readings;
}

void QueueWatch::start(loader::Readers& readers) {
  const auto before = read_namespaces(readers);
  if (!before) return;
  const auto listening = readers.listeners().read();
  if (!listening) return;
  sockets_.start(before->drops, *listening);
  started_ = true;
}

void QueueWatch::look(loader::Readers& readers, loader::Tracer& tracer, const Identify& identify, bool is_sample) {
  count(readers, tracer, identify);
  if (!is_sample) return;
  for (auto& [identity, queue] : queues_) queue.previous = std::exchange(queue.sampled, queue.drops);
}

void QueueWatch::count(loader::Readers& readers, loader::Tracer& tracer, const Identify& identify) {
  const auto before = read_namespaces(readers);
  take_closed(tracer);
  const auto listening = readers.listeners().read();
  const auto after = read_namespaces(readers);
  if (!before || !listening || !after) {
    const base::Error& error = !before ? before.error() : !listening ? listening.error() : after.error();
    if (!std::exchange(complained_, true)) spdlog::warn("listening sockets cannot be read now: {}", error.what);
    return;
  }
  const auto closed = std::exchange(closed_, {});
  const auto dropped = sockets_.look({before->drops, closed, *listening, after->drops});
  find_rows(tracer, dropped, closed);
  for (const ListenQueues::Drops& socket : dropped) {
    const tw_row* row = row_of(tracer, socket.socket);
    const std::uint32_t slot = row != nullptr ? rows_.at(socket.socket).slot : TW_ROW_NONE;
    tracer.count_queue_drops(slot, socket.netns_id, socket.drops);
    if (row == nullptr) continue;
    Queue& queue = queue_of(tracer, socket.socket, identify);
    queue.netns_id = socket.netns_id;
    queue.drops += socket.drops;
  }
  fill_queues(tracer, closed, *listening, *after, identify);
}

void QueueWatch::take_closed(loader::Tracer& tracer) {
  if (tracer.listener_rows() == nullptr) return;
  const auto more = tracer.listener_rows()->take_closed();
  closed_.insert(closed_.end(), more.begin(), more.end());
}

/// The row that was found for a socket, if it is still there.
const tw_row* QueueWatch::row_of(const loader::Tracer& tracer, std::uint64_t socket) const {
  const auto found = rows_.find(socket);
  if (found == rows_.end()) return nullptr;
  const tw_row* row = tracer.row_at(found->second.slot);
  return row != nullptr && row->first_ns == found->second.first_ns ? row : nullptr;
}

/// A socket that closed has the row of whoever closed it, unless it had one before.
void QueueWatch::find_rows(loader::Tracer& tracer, const std::vector<ListenQueues::Drops>& dropped,
                           std::span<const tw_closed_listener> closed) {
  const auto set_row = [&](std::uint64_t socket, std::uint32_t slot) {
    const tw_row* row = tracer.row_at(slot);
    rows_[socket] = row != nullptr ? RowSlot{slot, row->first_ns} : RowSlot{};
  };
  for (const tw_closed_listener& socket : closed) {
    if (row_of(tracer, socket.socket) == nullptr) set_row(socket.socket, socket.row);
  }
  std::vector<std::uint64_t> unknown;
  for (const ListenQueues::Drops& socket : dropped) {
    if (!socket.closed && row_of(tracer, socket.socket) == nullptr) unknown.push_back(socket.socket);
  }
  if (unknown.empty() || tracer.listener_rows() == nullptr) return;
  const auto found = tracer.listener_rows()->find(unknown);
  if (!found) {
    spdlog::info("whose listening sockets drop connections is not known: {}", found.error().what);
    return;
  }
  for (const auto& [socket, slot] : *found) set_row(socket, slot);
  // One that closed since it was read is in no file any more. What it dropped since then is counted by the next look.
  take_closed(tracer);
  for (const tw_closed_listener& socket : closed_) {
    if (row_of(tracer, socket.socket) == nullptr) set_row(socket.socket, socket.row);
  }
}

QueueWatch::Queue& QueueWatch::queue_of(const loader::Tracer& tracer, std::uint64_t socket, const Identify& identify) {
  const std::uint32_t slot = rows_.at(socket).slot;
  return queues_[model::folded(identify(slot, *tracer.row_at(slot)))];
}

/// Takes note of how full the queues are, and forgets the rows of sockets that are gone.
void QueueWatch::fill_queues(const loader::Tracer& tracer, std::span<const tw_closed_listener> closed,
                             std::span<const tw_listener_reading> listening, const Readings& readings,
                             const Identify& identify) {
  std::set<const Queue*> seen;
  const auto fill = [&](const auto& socket) {
    if (row_of(tracer, socket.socket) == nullptr) return;
    Queue& queue = queue_of(tracer, socket.socket, identify);
    if (!seen.insert(&queue).second && queue.fullest.taken >= socket.queue) return;
    queue.fullest = {socket.queue, socket.queue_limit};
    const auto settings = readings.settings.find(socket.netns_id);
    if (settings != readings.settings.end()) queue.settings = settings->second;
  };
  for (const tw_listener_reading& socket : listening) fill(socket);
  for (const tw_closed_listener& socket : closed) fill(socket);
  for (auto& [identity, queue] : queues_) {
    if (!seen.contains(&queue)) queue.fullest.taken = 0;
  }
  std::set<std::uint64_t> sockets;
  for (const tw_listener_reading& socket : listening) sockets.insert(socket.socket);
  std::erase_if(rows_, [&sockets](const auto& row) { return !sockets.contains(row.first); });
}

std::shared_ptr<const std::vector<model::ListenQueue>> QueueWatch::queues(const NamespaceDirectory& directory,
                                                                          double interval_s) const {
  if (!started_) return nullptr;
  auto result = std::make_shared<std::vector<model::ListenQueue>>();
  for (const auto& [identity, queue] : queues_) {
    const auto netns = directory.entries().find(identity.netns);
    if (netns == directory.entries().end()) continue;
    model::ListenQueue& shown = result->emplace_back();
    shown.netns = netns->second.inum;
    shown.netns_id = identity.netns;
    shown.port = identity.port;
    shown.service = identity.service;
    shown.comm = identity.comm;
    shown.queue = queue.fullest;
    shown.drops = queue.drops;
    shown.drops_per_s = model::rate(queue.sampled, queue.previous, interval_s);
    if (!queue.settings) continue;
    shown.somaxconn = known(queue.settings->somaxconn);
    shown.syn_backlog = known(queue.settings->syn_backlog);
  }
  std::stable_sort(result->begin(), result->end(), [](const model::ListenQueue& left, const model::ListenQueue& right) {
    return std::tie(left.drops_per_s, left.drops) > std::tie(right.drops_per_s, right.drops);
  });
  if (result->size() > model::kMostQueues) result->resize(model::kMostQueues);
  return result;
}

}  // namespace twtrace::trace
