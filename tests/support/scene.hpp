// SPDX-License-Identifier: Apache-2.0
// A recorded minute of a host: what the live view's tests and benchmarks look at.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/history.hpp"
#include "support/snapshots.hpp"
#include "tui/composer.hpp"
#include "tui/event_log.hpp"
#include "tui/layout.hpp"
#include "tui/view_state.hpp"

namespace twtrace::test {

/// Tables that grow from sample to sample, one second apart, and everything behind the live view.
class Scene {
 public:
  model::Table table{100'000};
  model::PeerTable peers{1000};
  std::vector<model::NetnsInfo> namespaces = {{1, 4026531840U, "host", {}, {}}};
  model::History history;
  tui::EventLog log;
  tui::Composer composer{history, log, {}};
  tui::ViewState state;

  /// What a program did during the next sample.
  struct Activity {
    std::uint32_t slot = 0;
    std::string comm;
    std::string service;
    model::Role role = model::Role::kServer;
    std::uint16_t port = 0;
    std::uint64_t created = 0;
    std::uint64_t refused = 0;
    bool exited = false;
  };

  void act(const Activity& activity) {
    model::Counters counts;
    if (const model::Entry* known = table.at(activity.slot)) {
      counts = known->counts;
    } else {
      model::Identity identity;
      identity.netns = 1;
      identity.pid = 100 + activity.slot;
      identity.start_ns = activity.slot;
      identity.comm = activity.comm;
      identity.uid = 33;
      identity.service = {"systemd", activity.service, "/system.slice/" + activity.service, "", ""};
      identity.role = activity.role;
      identity.port = activity.port;
      table.add(activity.slot, activity.slot, identity);
    }
    counts.time_wait += activity.created;
    counts.overflow_fin_wait2 += activity.refused;
    table.set(activity.slot, counts, counts.created(), activity.exited);
  }

  void sample(std::uint64_t in_use, std::uint64_t limit = 5000) {
    model::Snapshot head;
    time_ms_ += 1000;
    head.time_unix_ms = time_ms_;
    head.interval_s = 1;
    head.uptime_s = static_cast<double>(time_ms_ - kTime) / 1000;
    head.host = {"web1", "6.12.0"};
    head.probe = {"fentry", {}, true};
    model::NetnsRow netns;
    netns.netns = 4026531840U;
    netns.name = "host";
    netns.limit = limit;
    netns.in_use = in_use;
    model::Counters previous;
    table.for_each([&](const model::Entry& entry, model::RowKind) {
      netns.counts += entry.counts;
      previous += entry.previous;
    });
    netns.created_per_s = static_cast<double>(netns.counts.created() - previous.created());
    netns.overflow_per_s = static_cast<double>(netns.counts.overflow() - previous.overflow());
    netns.missed = {0, 0};
    netns.reconciled = true;
    head.totals = netns.counts;
    head.namespaces = {netns};
    head.namespaces.insert(head.namespaces.end(), more.begin(), more.end());
    head.port_use = port_use;
    history.append(std::make_shared<model::Snapshot>(head), model::TableSource(table, peers, namespaces));
    table.begin_interval();
    peers.begin_interval();
  }

  std::vector<model::NetnsRow> more;  ///< namespaces besides "host"
  std::shared_ptr<const std::vector<model::PortUse>> port_use;

  /// As the application does it for every frame.
  tui::Frame draw(tui::Size size, const tui::Look& look = {}) {
    const tui::Picture& picture = composer.compose(state);
    state = tui::settle(state, tui::context_of(picture, state, size));
    return tui::draw(picture, state, size, look);
  }
  /// As the application does it for every key.
  tui::Effects press(tui::Key key, tui::Size size = {24, 80}) {
    const tui::Picture& picture = composer.compose(state);
    state = tui::settle(state, tui::context_of(picture, state, size));
    tui::Transition next = tui::update(state, tui::command_for(key, state.mode), tui::context_of(picture, state, size));
    state = next.state;
    if (next.effects.zero) history.set_zero(*next.effects.zero);
    return next.effects;
  }
  tui::Effects press(char32_t character) { return press(tui::Key{character, tui::Special::kNone}); }
  tui::Effects press(tui::Special special) { return press(tui::Key{0, special}); }
  void type(const std::string& text) {
    for (const char c : text) press(static_cast<char32_t>(c));
  }

 private:
  std::int64_t time_ms_ = kTime;
};

/// Three services, one of which makes the table overflow from second 8 on.
inline void record_wave(Scene& scene) {
  constexpr std::uint64_t kLimit = 5000;
  std::uint64_t in_use = 0;
  for (int second = 1; second <= 12; ++second) {
    const std::uint64_t wanted = second > 3 ? 900 : 0;
    const std::uint64_t room = kLimit - in_use - 75;
    const std::uint64_t made = wanted < room ? wanted : room;
    scene.act({1, "web", "web.service", model::Role::kServer, 8080, 45, 0, false});
    scene.act({2, "queue-worker", "queue-worker.service", model::Role::kClient, 6379, 30, 0, false});
    scene.act({3, "scheduler", "scheduler.service", model::Role::kServer, 9000, made, wanted - made, second == 12});
    in_use = in_use + 75 + made > kLimit ? kLimit : in_use + 75 + made;
    if (in_use + 75 > kLimit) in_use = kLimit - 75;
    scene.sample(in_use + (in_use == kLimit - 75 ? 75 : 0));
  }
}

}  // namespace twtrace::test
