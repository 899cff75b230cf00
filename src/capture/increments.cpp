// SPDX-License-Identifier: Apache-2.0
#include "capture/increments.hpp"

#include <algorithm>
#include <utility>

#include "capture/limits.hpp"
#include "capture/versions.hpp"

namespace twtrace::capture {

namespace {

/// How many of the counts a version has: the first ones.
std::size_t stored_counts(std::int64_t version) {
  if (version < kVersionWithHarm) return 9;
  if (version < kVersionWithResetsSent) return 12;
  if (version < kVersionWithQueues) return 18;
  return version < kVersionWithNoPortBind ? 19 : model::kCounterFields.size();
}

}  // namespace

std::string delta_columns(std::int64_t version, const std::string& prefix) {
  const std::size_t stored = stored_counts(version);
  std::string columns;
  for (std::size_t i = 0; i < model::kCounterFields.size(); ++i) {
    columns += columns.empty() ? "" : ", ";
    columns += i < stored ? prefix + std::string(model::kCounterFields.at(i).name) : "0";
  }
  return columns;
}

Delta difference(const model::Counters& now, const model::Counters& before) {
  Delta delta{};
  for (std::size_t i = 0; i < delta.size(); ++i) {
    const auto field = model::kCounterFields[i].count;
    delta[i] = static_cast<std::int64_t>(now.*field - before.*field);
  }
  return delta;
}

bool is_zero(const Delta& delta) { return delta == Delta{}; }

bool add_delta(const Delta& delta, model::Counters& counts) {
  for (std::size_t i = 0; i < delta.size(); ++i) {
    std::uint64_t& count = counts.*model::kCounterFields[i].count;
    std::int64_t sum = 0;
    if (__builtin_add_overflow(static_cast<std::int64_t>(count), delta[i], &sum) || sum < 0) return false;
    if (static_cast<std::uint64_t>(sum) > kMaxCount) return false;
    count = static_cast<std::uint64_t>(sum);
  }
  return true;
}

std::size_t name_bytes(const model::TrackKey& key) {
  const base::Service& service = key.identity.service;
  return key.identity.comm.size() + service.kind.size() + service.name.size() + service.cgroup.size() +
         service.pod.uid.size() + service.container.size() + (key.peer ? key.peer->address.size() : 0);
}

bool Increments::add(const model::Fact& fact) {
  auto found = tracks_.find(fact);
  if (found == tracks_.end()) {
    model::TrackKey key = model::track_key(fact);
    const std::size_t bytes = name_bytes(key);
    if (tracks_.size() >= kMostKeys || name_bytes_ + bytes > kMostKeyBytes) return false;
    name_bytes_ += bytes;
    found = tracks_.emplace(std::move(key), Track{}).first;
    found->second.id = ++last_id_;
  }
  Track& track = found->second;
  if (track.seen == sample_) {  // a reused slot and the rest of its earlier row
    track.counts += fact.counts;
    track.previous += fact.previous;
    track.gauges.live = track.gauges.live && fact.live ? std::optional(*track.gauges.live + *fact.live) : std::nullopt;
    track.gauges.exited = track.gauges.exited && fact.exited;
    track.gauges.pids = std::max(track.gauges.pids, fact.pids);
    return true;
  }
  track.seen = sample_;
  track.counts = fact.counts;
  track.previous = fact.previous;
  track.gauges = {fact.live, std::max(fact.pids, 1U), fact.exited};
  touched_.push_back(&*found);
  return true;
}

void Increments::say(const model::TrackKey& key, Track& track, std::vector<Change>& changes) {
  const Delta moved = difference(track.previous, track.said);
  const Delta counted = difference(track.counts, track.previous);
  const bool as_before = is_zero(moved) && is_zero(counted) && track.gauges == track.said_gauges;
  if (as_before && !track.is_new) return;
  const auto change = [&](bool is_moved, const Delta& delta) {
    Change row{track.id, std::nullopt, is_moved, delta, track.gauges.live, track.gauges.pids, track.gauges.exited};
    if (std::exchange(track.is_new, false)) row.new_key = key;
    changes.push_back(std::move(row));
  };
  if (!is_zero(moved)) change(true, moved);
  if (!is_zero(counted) || is_zero(moved)) change(false, counted);
  track.said = track.counts;
  track.said_gauges = track.gauges;
}

std::vector<Change> Increments::end(bool complete) {
  std::vector<Change> changes;
  for (Tracks::value_type* touched : touched_) say(touched->first, touched->second, changes);
  touched_.clear();
  if (!complete) return changes;
  for (auto track = tracks_.begin(); track != tracks_.end();) {
    if (track->second.seen == sample_) {
      ++track;
      continue;
    }
    changes.push_back(
        {track->second.id, std::nullopt, true, difference({}, track->second.said), std::nullopt, 0, true});
    name_bytes_ -= name_bytes(track->first);
    track = tracks_.erase(track);
  }
  return changes;
}

}  // namespace twtrace::capture
