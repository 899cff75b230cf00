// SPDX-License-Identifier: Apache-2.0
#include "trace/queue_watch.hpp"

#include <optional>
#include <set>
#include <utility>

#include "base/log.hpp"

namespace twtrace::trace {

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
  const auto listening = readers.listeners().read(loader::WhichListeners::kDropping);
  if (!listening) return;
  sockets_.start(before->drops, *listening);
  started_ = true;
}

std::vector<ListenQueues::RowDrops> QueueWatch::look(loader::Readers& readers, loader::Tracer& tracer,
                                                     const Identify& identify, bool is_sample) {
  auto dropped = count(readers, tracer, identify);
  if (is_sample) queues_.end_interval();
  return dropped;
}

/// What is read, and in which order: see ListenQueues::look().
std::vector<ListenQueues::RowDrops> QueueWatch::count(loader::Readers& readers, loader::Tracer& tracer,
                                                      const Identify& identify) {
  const auto listening = readers.listeners().read(loader::WhichListeners::kDropping);
  take_closed(tracer);
  const auto kernel = read_namespaces(readers);
  if (!listening || !kernel) {
    const base::Error& error = !listening ? listening.error() : kernel.error();
    if (!std::exchange(complained_, true)) spdlog::warn("listening sockets cannot be read now: {}", error.what);
    return {};
  }
  const Look look{tracer, identify, *listening, std::exchange(closed_, {})};
  const auto growth = sockets_.look(look.listening, look.closed, kernel->drops);
  find_rows(look, growth.sockets);
  auto dropped =
      ListenQueues::by_row(growth, [this, &tracer](std::uint64_t socket) { return slot_of(tracer, socket); });
  for (const auto& [row, netns_id, drops] : dropped) {
    tracer.count_queue_drops(row, netns_id, drops);
    if (row != TW_ROW_NONE) queues_.count(identify(row, *tracer.row_at(row)), drops);
  }
  see_queues(look, *kernel);
  forget_rows(look);
  return dropped;
}

void QueueWatch::take_closed(loader::Tracer& tracer) {
  if (tracer.listener_rows() == nullptr) return;
  const auto more = tracer.listener_rows()->take_closed();
  closed_.insert(closed_.end(), more.begin(), more.end());
}

void QueueWatch::set_row(const loader::Tracer& tracer, std::uint64_t socket, std::uint32_t slot) {
  const tw_row* row = tracer.row_at(slot);
  if (row != nullptr) rows_[socket] = {slot, row->first_ns};
}

/// The row that was found for a socket, if it is still there; else TW_ROW_NONE.
std::uint32_t QueueWatch::slot_of(const loader::Tracer& tracer, std::uint64_t socket) const {
  const auto found = rows_.find(socket);
  if (found == rows_.end()) return TW_ROW_NONE;
  const tw_row* row = tracer.row_at(found->second.slot);
  return row != nullptr && row->first_ns == found->second.first_ns ? found->second.slot : TW_ROW_NONE;
}

/// A socket that closed has the row of whoever closed it, unless it had one before.
void QueueWatch::set_rows_of_closed(const loader::Tracer& tracer, std::span<const tw_closed_listener> closed) {
  for (const tw_closed_listener& socket : closed) {
    if (slot_of(tracer, socket.id) == TW_ROW_NONE) set_row(tracer, socket.id, socket.row);
  }
}

void QueueWatch::find_rows(const Look& look, std::span<const ListenQueues::Socket> sockets) {
  set_rows_of_closed(look.tracer, look.closed);
  std::set<std::uint64_t> without_row;
  for (const ListenQueues::Socket& socket : sockets) {
    if (slot_of(look.tracer, socket.id) == TW_ROW_NONE) without_row.insert(socket.id);
  }
  if (without_row.empty() || look.tracer.listener_rows() == nullptr) return;
  std::map<std::uint64_t, std::uint64_t> ids;  // by address
  std::vector<std::uint64_t> addresses;
  for (const tw_listener_reading& socket : look.listening) {
    if (!without_row.contains(socket.id)) continue;
    ids[socket.socket] = socket.id;
    addresses.push_back(socket.socket);
  }
  const auto found = look.tracer.listener_rows()->find(addresses);
  if (!found) {
    spdlog::info("whose listening sockets drop connections is not known: {}", found.error().what);
    return;
  }
  for (const auto& [address, slot] : *found) set_row(look.tracer, ids.at(address), slot);
  // One that closed since it was read is in no file any more. What it dropped since then is counted by the next look.
  take_closed(look.tracer);
  set_rows_of_closed(look.tracer, closed_);
}

/// Takes note of how full the queues are.
void QueueWatch::see_queues(const Look& look, const Readings& readings) {
  const auto see = [&](const auto& socket) {
    const std::uint32_t slot = slot_of(look.tracer, socket.id);
    if (slot == TW_ROW_NONE) return;
    const auto found = readings.settings.find(socket.netns_id);
    queues_.see(look.identify(slot, *look.tracer.row_at(slot)), {socket.queue, socket.queue_limit},
                found != readings.settings.end() ? std::optional(found->second) : std::nullopt);
  };
  for (const tw_listener_reading& socket : look.listening) see(socket);
  for (const tw_closed_listener& socket : look.closed) see(socket);
  queues_.end_look();
}

/// Sockets that are gone need no row any more.
void QueueWatch::forget_rows(const Look& look) {
  if (rows_.empty()) return;  // as on most hosts, which may have many listening sockets
  std::set<std::uint64_t> there;
  for (const tw_listener_reading& socket : look.listening) there.insert(socket.id);
  for (const tw_closed_listener& socket : closed_) there.insert(socket.id);
  std::erase_if(rows_, [&there](const auto& row) { return !there.contains(row.first); });
}

std::shared_ptr<const std::vector<model::ListenQueue>> QueueWatch::queues(const NamespaceDirectory& directory,
                                                                          double interval_s) const {
  if (!started_) return nullptr;
  return std::make_shared<const std::vector<model::ListenQueue>>(queues_.queues(directory, interval_s));
}

}  // namespace twtrace::trace
