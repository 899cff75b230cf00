// SPDX-License-Identifier: Apache-2.0
// Tables that a test fills as programs would.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/history.hpp"

namespace twtrace::test {

inline model::Counters made(std::uint64_t time_wait, std::uint64_t fin_wait2 = 0, std::uint64_t overflow_time_wait = 0,
                            std::uint64_t overflow_fin_wait2 = 0) {
  model::Counters counts;
  counts.time_wait = time_wait;
  counts.fin_wait2 = fin_wait2;
  counts.overflow_time_wait = overflow_time_wait;
  counts.overflow_fin_wait2 = overflow_fin_wait2;
  return counts;
}

/// Tables that grow from sample to sample, like those of a running trace.
struct Tables {
  /// Adds what a program did during the next sample.
  struct Activity {
    std::uint32_t slot = 0;
    std::string comm;
    std::string service;
    model::Role role = model::Role::kServer;
    std::uint16_t port = 0;
    model::Counters counts;  ///< added to the earlier ones
    std::uint32_t netns = 1;
    bool exited = false;
    std::uint32_t process = 0;  ///< 0: one for each slot
  };

  void act(const Activity& activity) {
    model::Counters counts = activity.counts;
    if (const model::Entry* known = table.at(activity.slot)) {
      counts += known->counts;
    } else {
      model::Identity identity;
      identity.netns = activity.netns;
      const std::uint32_t process = activity.process != 0 ? activity.process : activity.slot;
      identity.pid = 100 + process;
      identity.start_ns = process;
      identity.comm = activity.comm;
      identity.uid = 33;
      identity.service = {"systemd", activity.service, "/system.slice/" + activity.service, {}, {}};
      identity.role = activity.role;
      identity.port = activity.port;
      table.add(activity.slot, activity.slot, identity);
    }
    table.set(activity.slot, counts, counts.created(), activity.exited);
  }

  /// Ends an interval with a sample. Returns its number.
  std::uint64_t append_to(model::History& history, const model::Snapshot& head) {
    const auto sample =
        history.append(std::make_shared<model::Snapshot>(head), model::CurrentSource(table, peers, namespaces));
    table.begin_interval();
    peers.begin_interval();
    return sample;
  }

  model::RowTable table{100'000};
  model::PeerTable peers{1000};
  std::vector<model::NetnsInfo> namespaces = {{1, 4026531840U, "host", {}, {}}};
};

}  // namespace twtrace::test
