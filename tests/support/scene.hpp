// SPDX-License-Identifier: Apache-2.0
// A recorded minute of a host, for the live view's tests and benchmarks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/history.hpp"
#include "support/snapshots.hpp"
#include "support/tables.hpp"
#include "tui/composer.hpp"
#include "tui/event_log.hpp"
#include "tui/layout.hpp"
#include "tui/view_state.hpp"

namespace twtrace::test {

/// Everything behind the live view, with one sample per second.
class Scene : public Tables {
 public:
  model::History history;
  tui::EventLog log;
  tui::Composer composer{history, log, {}};
  tui::ViewState state;

  void sample(std::uint64_t in_use, std::uint64_t limit = 5000) {
    model::Snapshot head;
    time_ms_ += 1000;
    head.time_unix_ms = time_ms_;
    head.interval_s = 1;
    head.uptime_s = static_cast<double>(time_ms_ - kTime) / 1000;
    head.host = {"web1", "6.12.0"};
    head.probe = {"fentry", {}, {true, true, true}};
    model::NetnsRow netns;
    netns.id = 1;
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
    head.logs = logs;
    if (!log_lines.empty()) {
      head.log_lines = std::make_shared<const std::vector<model::LogLine>>(std::move(log_lines));
      log_lines.clear();
    }
    append_to(history, head);
  }

  std::vector<model::NetnsRow> more;  ///< namespaces besides "host"
  std::shared_ptr<const std::vector<model::PortUse>> port_use;
  std::shared_ptr<const std::vector<model::Log>> logs;
  std::vector<model::LogLine> log_lines;  ///< of the next sample only

  /// Does the work of the application for one frame.
  tui::Frame draw(tui::Size size, const tui::DrawOptions& options = {}) {
    const tui::Picture& picture = composer.compose(state);
    state = tui::settle(state, tui::context_of(picture, state, size));
    return tui::draw(picture, state, size, options);
  }
  /// Does the work of the application for one key.
  tui::Effects press(tui::Key key, tui::Size size = {24, 80}) {
    const tui::Picture& picture = composer.compose(state);
    state = tui::settle(state, tui::context_of(picture, state, size));
    std::optional<tui::KeyAction> action = tui::key_action(key, state.mode);
    if (key.special == tui::Special::kClick) action = tui::click_action(picture, state, size, {}, key);
    if (!action) return {};
    tui::Transition next = tui::update(state, *action, tui::context_of(picture, state, size));
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
    const std::uint64_t granted = wanted < room ? wanted : room;
    scene.act({1, "web", "web.service", model::Role::kServer, 8080, made(45)});
    scene.act({2, "queue-worker", "queue-worker.service", model::Role::kClient, 6379, made(30)});
    scene.act({3, "scheduler", "scheduler.service", model::Role::kServer, 9000, made(granted, 0, 0, wanted - granted),
               1, second == 12});
    in_use = in_use + 75 + granted > kLimit ? kLimit : in_use + 75 + granted;
    if (in_use + 75 > kLimit) in_use = kLimit - 75;
    scene.sample(in_use + (in_use == kLimit - 75 ? 75 : 0));
  }
}

}  // namespace twtrace::test
