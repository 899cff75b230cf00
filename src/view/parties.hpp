// SPDX-License-Identifier: Apache-2.0
// Who has a part in a trouble. Private to this folder.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/snapshot.hpp"
#include "model/source.hpp"
#include "view/row_finder.hpp"
#include "view/service_names.hpp"

namespace twtrace::view {

/// What somebody has more of than others.
using Measure = double (*)(const SortItem&);

/// Who has the most of something. Rows are made when the first trouble asks for them. Keeps references; not
/// thread-safe.
class Parties {
 public:
  /// `connect_failures`: connects that found no local port; `bind_failures`: binds that found none.
  Parties(const model::Source& source, const model::Snapshot& head, Measure connect_failures, Measure bind_failures);

  std::optional<model::Party> most(std::uint32_t netns_id, Measure measure);
  /// The one with the most buckets.
  std::optional<model::Party> holder(std::uint32_t netns_id);
  /// The client of a destination that made the most buckets there.
  std::optional<model::Party> client_of(std::uint32_t netns_id, const model::Peer& destination);
  /// Who has a queue.
  model::Party owner_of(const model::ListenQueue& queue);

  /// Where most buckets from before the start were in a namespace.
  std::optional<model::OlderBuckets> older_buckets(std::uint32_t netns_id);
  /// The same of those of clients of one port.
  std::optional<model::OlderBuckets> older_buckets_to(std::uint32_t netns_id, std::optional<std::uint16_t> port);
  /// How many buckets from before the start clients have towards a destination; empty if only the port is known.
  std::optional<std::uint64_t> older_towards(std::uint32_t netns_id, const model::Peer& destination);

  /// The ports to which connect() failed, and how often, most often first. Port 0: the row stands for many.
  std::vector<std::pair<std::uint16_t, double>> unconnected_ports(std::uint32_t netns_id);
  /// Whose connects to that port failed most often.
  std::optional<model::Party> unconnected_to(std::uint32_t netns_id, std::uint16_t port);
  /// The destination on that port where most of them failed; without an address if events do not tell.
  model::Peer destination_on(std::uint32_t netns_id, std::uint16_t port);
  /// Whose binds failed most often, and how often all of them did.
  std::pair<std::optional<model::Party>, double> unbound(std::uint32_t netns_id);

 private:
  RowFinder& processes() { return rows(processes_, model::Group::kProcess); }
  RowFinder& peers() { return rows(peers_, model::Group::kPeer); }
  RowFinder& rows(std::optional<RowFinder>& made, model::Group group);
  std::string shown(const base::Service& service);
  template <class Takes>
  std::optional<model::OlderBuckets> older_of(const Items& items, const Takes& takes);
  template <class Takes>
  std::optional<model::Party> most_of(std::initializer_list<const Items*> some, Measure measure, const Takes& takes);

  const model::Source& source_;
  const std::vector<model::NetnsRow>& namespaces_;
  double interval_s_;
  std::optional<ServiceLabels> labels_;
  int looks_ = 0;  ///< for one label each
  Measure unconnected_;
  Measure unbound_;
  std::optional<RowFinder> processes_;
  std::optional<RowFinder> peers_;
  /// Many destinations of a namespace may have one port, and many rows.
  using NetnsPort = std::pair<std::uint32_t, std::optional<std::uint16_t>>;
  std::map<NetnsPort, std::optional<model::Party>> client_by_port_;
  std::map<NetnsPort, std::optional<model::OlderBuckets>> older_by_port_;
};

}  // namespace twtrace::view
