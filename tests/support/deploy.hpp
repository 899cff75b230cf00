// SPDX-License-Identifier: Apache-2.0
// A hand-made recording of a deploy that overflows the table, for the tests of reports.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/history.hpp"
#include "model/recording.hpp"
#include "support/snapshots.hpp"
#include "support/tables.hpp"

namespace twtrace::test {

/// A recording with one sample per second by default.
class HandMade final : public model::Recording, public Tables {
 public:
  HandMade() : history_({1e9, 1U << 20U, std::size_t{1} << 32U}) {
    netns.id = 1;
    netns.netns = 4026531840U;
    netns.name = "host";
    netns.limit = 5000;
    netns.in_use = 0;
    netns.missed = {0, 0};
    netns.kernel.created = netns.kernel.overflow = netns.kernel.listen_overflows = netns.kernel.listen_drops = 0;
    info_.twtrace_version = "0.1.0";
    info_.host = {"web1", "6.12.0"};
    info_.probe = {"fentry", {}, {true, true, true}};
    info_.started_unix_ms = kTime;
    info_.bucket_bytes = 256;
    info_.seen = {{{"systemd", "idle.service", "/system.slice/idle.service", {}, {}}, "idle"}};
    info_.settings_at_start = {settings()};
  }

  static model::NetnsSettings settings() {
    model::NetnsSettings host;
    host.netns = 4026531840U;
    host.netns_id = 1;
    host.name = "host";
    host.limit = 5000;
    host.default_limit = 131072;
    host.fin_timeout_s = 60;
    host.tw_reuse = 2;
    host.timestamps = 1;
    host.syn_backlog = 512;
    host.somaxconn = 4096;
    host.ephemeral_ports = 28232;
    return host;
  }

  /// Ends an interval. Everything belongs to the first namespace, except what `more` lists.
  void sample(std::uint64_t in_use, double interval_s = 1) {
    netns.in_use = in_use;
    netns.counts = unattributed;
    table.for_each([&](const model::Entry& entry, model::RowKind) {
      if (entry.identity.netns == 1) netns.counts += entry.counts;
    });
    netns.unattributed = unattributed;
    netns.kernel.created = netns.counts.created() + netns.missed.created.value_or(0);
    netns.kernel.overflow = netns.counts.refused() + netns.missed.overflow.value_or(0);
    netns.reconciled = netns.missed.created == 0 && netns.missed.overflow == 0;
    head.time_unix_ms = now_ms_ += static_cast<std::int64_t>(interval_s * 1000);
    head.interval_s = interval_s;
    head.uptime_s = static_cast<double>(now_ms_ - kTime) / 1000;
    head.host = info_.host;
    head.probe = info_.probe;
    head.namespaces = {netns};
    head.namespaces.insert(head.namespaces.end(), more.begin(), more.end());
    head.totals = head.unattributed = {};
    for (const model::NetnsRow& row : head.namespaces) {
      head.totals += row.counts;
      head.unattributed += row.unattributed;
    }
    namespaces.front().unattributed = unattributed;
    info_.ended_unix_ms = now_ms_;
    last_sample_ = append_to(history_, head);
  }

  std::int64_t now_unix_ms() const { return now_ms_; }
  model::CaptureInfo& editable() { return info_; }
  /// Makes reading fail after this many samples.
  void break_after(std::uint64_t samples) { broken_after_ = samples; }

  const model::CaptureInfo& info() const override { return info_; }
  base::Result<void> for_each(model::Wanted /*wanted*/, const model::SampleVisitor& visit) override {
    for (std::uint64_t sample = 1; sample <= last_sample_; ++sample) {
      if (broken_after_ && sample > *broken_after_) return base::fail(base::ErrorCode::kInvalid, "the file is torn");
      if (!visit(history_.head(sample), history_.at(sample))) break;
    }
    return {};
  }

  model::NetnsRow netns;  ///< the first one
  std::vector<model::NetnsRow> more;
  model::Counters unattributed;
  model::Snapshot head;  ///< losses, cost and port use of the next samples

 private:
  model::CaptureInfo info_;
  model::History history_;
  std::uint64_t last_sample_ = 0;
  std::int64_t now_ms_ = kTime;
  std::optional<std::uint64_t> broken_after_;
};

/// Five seconds before the command, ten during it, fifteen after it. Starting with the third second of the command, the
/// agents of the scheduler fill the rest of 5,000 places, and 4,454 buckets are refused.
inline std::unique_ptr<HandMade> deploy() {
  auto recording = std::make_unique<HandMade>();
  constexpr std::uint64_t kLimit = 5000;
  model::CaptureInfo& info = recording->editable();
  info.command = model::CapturedCommand{{"./deploy.sh", "--all hosts"}, kTime + 5000, kTime + 15000, 0, std::nullopt};
  info.marks = {{kTime + 7000, "drain"}, {kTime + 12000, "restart"}};
  info.ended_unix_ms = kTime + 30000;
  info.settings_at_end = {HandMade::settings()};
  model::PeerKey redis;
  std::uint64_t in_use = 0;
  std::uint64_t refused = 0;
  for (int second = 1; second <= 30; ++second) {
    const std::uint64_t room = kLimit - in_use;
    const std::uint64_t wanted = second > 7 && second <= 16 ? 1000 : 0;
    const std::uint64_t base_load = std::min<std::uint64_t>(room, 80);
    const std::uint64_t granted = std::min(wanted, room - base_load);
    const std::uint64_t left_out = std::min<std::uint64_t>(wanted - granted, 4454 - refused);
    refused += left_out;
    recording->act({1, "nginx", "web.service", model::Role::kServer, 8080, made(base_load * 3 / 4, 0)});
    recording->act(
        {2, "redis-worker", "worker.service", model::Role::kClient, 6379, made(base_load - base_load * 3 / 4)});
    recording->act({3, "scheduler", "scheduler.service", model::Role::kServer, 9000,
                    made(granted / 2, granted - granted / 2, left_out / 10, left_out - left_out / 10)});
    if (second == 3) recording->unattributed.time_wait += 17;
    in_use = std::min(kLimit, in_use + base_load + granted + (second == 3 ? 17 : 0));
    if (second > 16) recording->netns.kernel.listen_overflows = recording->netns.kernel.listen_drops = 31;
    redis.identity = model::folded(recording->table.at(2)->identity);
    redis.peer = {"10.0.0.9", std::uint16_t{6379}};
    for (std::uint64_t i = 0; i < base_load - base_load * 3 / 4; ++i) recording->peers.count(redis, model::Event{});
    recording->head.cost = {std::nullopt, 0.5, 24U << 20U, {}};
    recording->head.port_use = std::make_shared<std::vector<model::PortUse>>(std::vector<model::PortUse>{
        {4026531840U, redis.peer, {static_cast<std::uint64_t>(second) * 600, 28232}, 1, 0, 0, 0}});
    recording->sample(in_use);
  }
  return recording;
}

}  // namespace twtrace::test
