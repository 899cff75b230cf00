// SPDX-License-Identifier: Apache-2.0
#include "model/history.hpp"

#include <algorithm>
#include <utility>

#include "model/find_netns.hpp"

namespace twtrace::model {
namespace {

/// How many samples pass between two searches for old versions. Each search walks over every row.
constexpr std::uint64_t kTrimInterval = 16;
/// The most that is dropped at once when memory is short.
constexpr std::size_t kSamplesAtOnce = 10;
/// How far ahead a walk over all rows prefetches: first the row, then its versions.
constexpr std::size_t kFetchRow = 12;
constexpr std::size_t kFetchVersions = 6;
constexpr std::size_t kLine = 64;  ///< bytes

/// Prefetches several cache lines that will be read soon.
void fetch(const void* from, std::size_t bytes) {
  const auto* const first = static_cast<const char*>(from);
  for (std::size_t at = 0; at < bytes; at += kLine) __builtin_prefetch(first + at);
}

const Peer* pointer(const std::optional<Peer>& peer) { return peer ? &*peer : nullptr; }

/// The rows that one may have gone into: that of its owner's many ports, that of its program, and (other), in its own
/// namespace and in the one for those that are forgotten.
std::vector<TrackKey> heirs(const Identity& who) {
  std::vector<TrackKey> result;
  for (const std::uint32_t netns : {who.netns, kForgottenNetns}) {
    for (Identity heir : {who, folded(who)}) {
      heir.netns = netns;
      if (heir != who) result.push_back({heir, RowKind::kNormal, std::nullopt});
      heir.port = 0;
      if (heir != who) result.push_back({heir, RowKind::kNormal, std::nullopt});
    }
    TrackKey other{{}, RowKind::kOther, std::nullopt};
    other.identity.netns = netns;
    result.push_back(other);
  }
  return result;
}

void subtract(std::optional<std::uint64_t>& from, const std::optional<std::uint64_t>& amount) {
  if (from && amount) *from -= std::min(*from, *amount);
}

}  // namespace

std::size_t History::Sample::bytes() const {
  std::size_t lines = 0;
  if (head->log_lines) {
    for (const LogLine& line : *head->log_lines) lines += sizeof(line) + (line.text ? line.text->size() : 0);
  }
  return sizeof(Snapshot) + head->namespaces.size() * sizeof(NetnsRow) + namespaces.size() * sizeof(NetnsInfo) + lines;
}

std::uint64_t History::append(SnapshotPtr head, const Source& source) {
  samples_.push_back({std::move(head), source.namespaces()});
  samples_bytes_ += samples_.back().bytes();
  const std::uint64_t sample = newest();
  source.visit([&](const Fact& fact) { record(rows_, fact, sample); });
  source.visit_peers([&](const Fact& fact) {
    if (sample == 1 || may_have_changed(fact)) record(peers_, fact, sample);
  });
  close_vanished(sample);
  trim();
  return sample;
}

void History::record(Tracks& tracks, const Fact& fact, std::uint64_t sample) {
  auto found = tracks.find(fact);
  if (found == tracks.end()) {
    found = tracks.emplace(track_key(fact), Track{}).first;
    found->second.first_unix_ms = samples_.back().head->time_unix_ms;
    found->second.names = hash_names(fact.identity);
    tracks.in_line.push_back(&*found);
  }
  Track& track = found->second;
  const bool again = track.seen == sample;  // a reused slot and the rest of its earlier row have the same identity
  track.seen = sample;
  if (again && !track.versions.empty() && track.versions.back().sample == sample) {
    TrackVersion& version = track.versions.back();
    version.counts += fact.counts;
    version.previous += fact.previous;
    version.live = version.live && fact.live ? std::optional(*version.live + *fact.live) : std::nullopt;
    version.exited = version.exited && fact.exited;
    return;
  }
  TrackVersion version{sample, fact.counts, fact.previous, fact.live, fact.pids, fact.exited, false};
  if (!track.versions.empty()) {
    const TrackVersion& last = track.versions.back();
    if (again) {  // and its first part had not changed
      version.counts += last.counts;
      version.previous += last.counts;
      version.live = version.live && last.live ? std::optional(*version.live + *last.live) : std::nullopt;
      version.exited = version.exited && last.exited;
    }
    const bool as_before = !last.gone && last.counts == version.counts && last.live == version.live &&
                           last.exited == version.exited && last.pids == version.pids;
    if (as_before) return;
  }
  track.versions.push_back(version);
  ++versions_;
}

/// A row that does not exist any more was folded into another one, together with its counts. So its zeroed counts move
/// along.
void History::close_vanished(std::uint64_t sample) {
  std::vector<End> ends;
  for (auto& known : rows_) {
    Track& track = known.second;
    if (track.seen == sample || track.versions.back().gone) continue;
    TrackVersion end;
    end.sample = sample;
    end.gone = true;
    track.versions.push_back(end);
    ++versions_;
    if (zero_ != 0) ends.push_back({sample, &known});
  }
  hand_over_zeros(std::move(ends));
}

/// Orders rows by when they ended. If several ended at once, processes come before the programs that they went into.
void History::hand_over_zeros(std::vector<End> ends) {
  const auto order = [](const End& end) { return std::pair(end.sample, !end.track->first.identity.pid); };
  std::sort(ends.begin(), ends.end(), [&](const End& left, const End& right) { return order(left) < order(right); });
  for (const End& end : ends) {
    const Counters zero = std::exchange(end.track->second.zero, Counters{});
    if (zero == Counters{}) continue;
    for (const TrackKey& candidate : heirs(end.track->first.identity)) {
      const auto heir = rows_.find(candidate);
      const TrackVersion* version = heir == rows_.end() ? nullptr : version_at(heir->second, end.sample);
      if (version == nullptr || version->gone) continue;
      heir->second.zero += zero;
      break;
    }
  }
}

bool History::too_long() const {
  const double age_s =
      static_cast<double>(samples_.back().head->time_unix_ms - samples_.front().head->time_unix_ms) / 1000;
  return samples_.size() > limits_.samples || age_s > limits_.seconds;
}

void History::trim() {
  const auto drop = [this] {
    samples_bytes_ -= samples_.front().bytes();
    samples_.pop_front();
    ++first_;
  };
  while (samples_.size() > 1 && too_long()) drop();
  if (newest() % kTrimInterval == 0) {
    trim(rows_);
    trim(peers_);
  }
  while (samples_.size() > 1 && bytes() > limits_.bytes) {
    const std::size_t at_once = std::clamp<std::size_t>(samples_.size() / 8, 1, kSamplesAtOnce);
    for (std::size_t i = 0; i < at_once && samples_.size() > 1; ++i) drop();
    trim(rows_);
    trim(peers_);
  }
}

/// Forgets what no kept sample needs: every version before the one that the oldest sample shows.
void History::trim(Tracks& tracks) {
  const std::size_t before = tracks.size();
  for (auto track = tracks.begin(); track != tracks.end();) {
    std::vector<TrackVersion>& versions = track->second.versions;
    const auto later =
        std::upper_bound(versions.begin(), versions.end(), first_,
                         [](std::uint64_t sample, const TrackVersion& version) { return sample < version.sample; });
    if (later - versions.begin() > 1) {
      versions_ -= static_cast<std::size_t>(later - versions.begin() - 1);
      versions.erase(versions.begin(), later - 1);
    }
    const bool forgotten = versions.size() == 1 && versions.front().gone && versions.front().sample <= first_;
    if (forgotten) --versions_;
    track = forgotten ? tracks.erase(track) : std::next(track);
  }
  if (tracks.size() != before) tracks.in_line.clear();
}

std::uint64_t History::clamp(std::uint64_t sample) const { return std::clamp(sample, oldest(), newest()); }

std::uint64_t History::sample_at(std::int64_t unix_ms) const {
  const auto later =
      std::upper_bound(samples_.begin(), samples_.end(), unix_ms,
                       [](std::int64_t wanted, const Sample& sample) { return wanted < sample.head->time_unix_ms; });
  const auto not_later = static_cast<std::uint64_t>(later - samples_.begin());
  return not_later == 0 ? first_ : first_ + not_later - 1;
}

const TrackVersion* History::version_at(const Track& track, std::uint64_t sample) {
  const std::vector<TrackVersion>& versions = track.versions;
  if (!versions.empty() && versions.back().sample <= sample) return &versions.back();  // nearly always
  const auto later =
      std::upper_bound(versions.begin(), versions.end(), sample,
                       [](std::uint64_t wanted, const TrackVersion& version) { return wanted < version.sample; });
  return later == versions.begin() ? nullptr : &*std::prev(later);
}

const std::vector<const History::Tracks::value_type*>& History::in_line(const Tracks& tracks) {
  if (tracks.in_line.size() != tracks.size()) {
    tracks.in_line.clear();
    for (const auto& track : tracks) tracks.in_line.push_back(&track);
  }
  return tracks.in_line;
}

void History::visit(const Tracks& tracks, std::uint64_t sample, std::uint64_t base, const FactVisitor& visitor) const {
  const Counters nothing;
  const bool zeroed = zero_ != 0 && sample >= zero_;
  const auto& line = in_line(tracks);
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (i + kFetchRow < line.size()) fetch(line[i + kFetchRow], sizeof(*line[i]));
    if (i + kFetchVersions < line.size()) {
      const std::vector<TrackVersion>& versions = line[i + kFetchVersions]->second.versions;
      fetch(&versions.back(), sizeof(TrackVersion));
    }
    const auto& [key, track] = *line[i];
    const TrackVersion* version = version_at(track, sample);
    if (version == nullptr || version->gone) continue;
    Counters counts = version->counts;
    Counters previous = version->sample == sample ? version->previous : version->counts;
    const TrackVersion* const begin = base == 0 ? nullptr : version_at(track, base);
    if (begin != nullptr && !begin->gone) {
      counts -= begin->counts;
      previous -= begin->counts;
    }
    visitor({key.identity, key.kind, pointer(key.peer), counts, previous, zeroed ? track.zero : nothing, version->live,
             version->pids, version->exited, &track.names});
  }
}

History::SampleSource::SampleSource(const History& history, std::uint64_t sample, std::uint64_t base)
    : history_(history),
      sample_(sample),
      base_(base),
      namespaces_(history.samples_[sample - history.first_].namespaces) {
  if (base == 0) return;
  for (const NetnsInfo& before : history.samples_[base - history.first_].namespaces) {
    const auto netns = std::find_if(namespaces_.begin(), namespaces_.end(),
                                    [&before](const NetnsInfo& info) { return info.id == before.id; });
    if (netns == namespaces_.end()) continue;
    netns->unattributed -= before.unattributed;
    netns->unattributed_previous -= before.unattributed;
  }
}

void History::SampleSource::visit(const FactVisitor& visitor) const {
  history_.visit(history_.rows_, sample_, base_, visitor);
}
void History::SampleSource::visit_peers(const FactVisitor& visitor) const {
  history_.visit(history_.peers_, sample_, base_, visitor);
}

void History::set_zero(std::uint64_t sample) {
  zero_ = sample;
  zero_head_ = sample == 0 ? nullptr : head(sample);
  for (Tracks* tracks : {&rows_, &peers_}) {
    for (auto& [key, track] : *tracks) {
      const TrackVersion* version = sample == 0 ? nullptr : version_at(track, sample);
      track.zero = version != nullptr && !version->gone ? version->counts : Counters{};
    }
  }
  if (sample == 0) return;
  std::vector<End> ends;  // rows folded since then
  for (auto& known : rows_) {
    for (const TrackVersion& version : known.second.versions) {
      if (version.gone && version.sample > sample) ends.push_back({version.sample, &known});
    }
  }
  hand_over_zeros(std::move(ends));
}

const Snapshot* History::zero_head(std::uint64_t sample) const {
  return zero_ != 0 && sample >= zero_ ? zero_head_.get() : nullptr;
}

History::Timeline History::timeline(const FactPredicate& counts, std::uint64_t sample) const {
  Timeline timeline;
  for (std::uint64_t kept = oldest(); kept <= sample; ++kept) timeline.points.push_back({kept, 0, 0});
  const Counters nothing;
  const auto add = [&](const Tracks& tracks) {
    for (const auto& [key, track] : tracks) {
      const TrackVersion& any = track.versions.back();
      const Fact fact{key.identity, key.kind, pointer(key.peer), any.counts, any.counts, nothing, std::nullopt};
      if (!counts(fact)) continue;
      const std::int64_t first = timeline.first_seen_unix_ms;
      timeline.first_seen_unix_ms = first == 0 ? track.first_unix_ms : std::min(first, track.first_unix_ms);
      for (const TrackVersion& version : track.versions) {
        if (version.gone || version.sample < oldest() || version.sample > sample) continue;
        Timeline::Point& point = timeline.points[version.sample - oldest()];
        const auto grown = [](std::uint64_t now, std::uint64_t before) { return now > before ? now - before : 0; };
        point.created += grown(version.counts.created(), version.previous.created());
        point.refused += grown(version.counts.refused(), version.previous.refused());
      }
    }
  };
  add(rows_);
  add(peers_);
  return timeline;
}

Snapshot counted_since(const Snapshot& head, const Snapshot& zero) {
  Snapshot result = head;
  result.totals -= zero.totals;
  result.unattributed -= zero.unattributed;
  for (NetnsRow& netns : result.namespaces) {
    const NetnsRow* before = find_netns(zero.namespaces, netns.id, netns.netns);
    if (before == nullptr) continue;
    netns.counts -= before->counts;
    netns.unattributed -= before->unattributed;
    subtract(netns.kernel.created, before->kernel.created);
    subtract(netns.kernel.overflow, before->kernel.overflow);
    subtract(netns.kernel.reused, before->kernel.reused);
    subtract(netns.kernel.listen_overflows, before->kernel.listen_overflows);
    subtract(netns.kernel.listen_drops, before->kernel.listen_drops);
    subtract(netns.kernel.out_resets, before->kernel.out_resets);
    subtract(netns.missed.resets_sent, before->missed.resets_sent);
    subtract(netns.missed.queue_drops, before->missed.queue_drops);
    subtract(netns.missed.created, before->missed.created);
    subtract(netns.missed.overflow, before->missed.overflow);
  }
  return result;
}

}  // namespace twtrace::model
