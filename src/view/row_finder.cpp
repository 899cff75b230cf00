// SPDX-License-Identifier: Apache-2.0
#include "view/row_finder.hpp"

#include <functional>
#include <string_view>

#include "view/view.hpp"

namespace twtrace::view {
namespace {

std::uint64_t port_key(std::uint32_t netns_id, const std::optional<std::uint16_t>& port) {
  return std::uint64_t{netns_id} << 16U | port.value_or(0);
}

std::uint64_t peer_key(std::uint32_t netns_id, const model::Peer& peer) {
  return std::hash<std::string_view>()(peer.address) ^ port_key(netns_id, peer.port);
}

std::uint64_t server_key(std::uint32_t netns_id, std::uint16_t port, std::string_view comm, std::size_t service_hash) {
  return std::hash<std::string_view>()(comm) ^ service_hash ^ port_key(netns_id, port);
}

View rows_of(model::Group group) {
  View view;
  view.group = group;
  return view;
}

}  // namespace

RowFinder::RowFinder(const model::Source& source, model::Group group, double interval_s)
    : list_(source, rows_of(group), interval_s) {}

/// `key_of` says where a row goes.
template <class KeyOf>
const Items& RowFinder::find(std::optional<Index>& index, std::uint64_t key, const KeyOf& key_of) {
  static const Items kNone;
  if (!index) {
    index.emplace();
    for (const SortItem& row : list_.items()) (*index)[key_of(row)].push_back(&row);
  }
  const auto found = index->find(key);
  return found == index->end() ? kNone : found->second;
}

const Items& RowFinder::of(std::uint32_t netns_id) {
  return find(by_netns_, netns_id, [](const SortItem& row) { return row.netns_id; });
}

const Items& RowFinder::of(std::uint32_t netns_id, std::optional<std::uint16_t> port) {
  return find(by_port_, port_key(netns_id, port), [](const SortItem& row) { return port_key(row.netns_id, row.port); });
}

const Items& RowFinder::with(std::uint32_t netns_id, const model::Peer& peer) {
  return find(by_peer_, peer_key(netns_id, peer), [](const SortItem& row) {
    return row.peer == nullptr ? std::uint64_t{row.netns_id} : peer_key(row.netns_id, *row.peer);
  });
}

const Items& RowFinder::serving(const model::ListenQueue& queue) {
  return find(by_server_, server_key(queue.netns_id, queue.port, queue.comm, queue.service.hash()),
              [](const SortItem& row) {
                return server_key(row.netns_id, row.port.value_or(0), *row.comm, base::ServiceHash()(row.service));
              });
}

}  // namespace twtrace::view
