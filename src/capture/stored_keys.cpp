// SPDX-License-Identifier: Apache-2.0
#include "capture/stored_keys.hpp"

#include <string>
#include <utility>

#include "capture/limits.hpp"
#include "capture/names.hpp"
#include "capture/versions.hpp"

namespace twtrace::capture {
namespace {

constexpr const char* kKey = ", pid, start_ns, comm, uid, role, port, attribution, ipv6, matched";

model::RowKind kind_of(bool is_other, bool is_before_start) {
  if (is_before_start) return model::RowKind::kBeforeStart;
  return is_other ? model::RowKind::kOther : model::RowKind::kNormal;
}

}  // namespace

base::Result<StoredKeys> StoredKeys::open(const Database& database, Kind kind, StoredServices& services) {
  StoredKeys keys;
  keys.kind_ = kind;
  const std::string name = kind == Kind::kOwners ? "owner" : "peer";
  const auto version = database.version();
  if (!version) return tl::unexpected(version.error());
  auto changes = SampleRows::open(database, "SELECT sample, " + name + ", moved, " + delta_columns(*version) +
                                                ", live, pids, exited FROM " + name + "_sample ORDER BY id");
  const bool has_before_start =
      *version >= (kind == Kind::kOwners ? kVersionWithOwnersBeforeStart : kVersionWithPeersBeforeStart);
  auto key =
      database.prepare(std::string("SELECT netns, service, is_other, ") + (has_before_start ? "is_before_start" : "0") +
                       kKey + (kind == Kind::kPeers ? ", address, peer_port" : "") + " FROM " + name + " WHERE id=?");
  if (!changes) return tl::unexpected(changes.error());
  if (!key) return tl::unexpected(key.error());
  keys.changes_ = std::move(*changes);
  keys.key_by_id_ = std::move(*key);
  keys.services_ = &services;
  return keys;
}

bool StoredKeys::read(std::int64_t sample) {
  // What was counted in the last sample is the past of this one.
  for (const std::int64_t id : touched_) {
    Track* const track = tracks_[static_cast<std::size_t>(id - 1)].get();
    if (track == nullptr) continue;
    track->previous = track->counts;
    track->touched = false;
  }
  touched_.clear();
  for (; changes_.at(sample); changes_.next()) {
    Columns row = changes_.row(sample);
    if (!read_change(row)) return false;
  }
  return true;
}

bool StoredKeys::read_change(Columns& row) {
  const std::int64_t id = row.integer();
  Track* const track = track_of(id);
  if (track == nullptr) return false;
  const bool moved = row.flag();
  const Delta delta = row.delta();
  row.expect(add_delta(delta, track->counts) && (!moved || add_delta(delta, track->previous)));
  row.expect(add_delta(delta, totals_));
  track->live = row.optional_gauge();
  track->pids = row.number<std::uint32_t>();
  track->exited = row.flag();
  if (track->pids == 0) {
    forget(id);
  } else if (!std::exchange(track->touched, true)) {
    touched_.push_back(id);
  }
  return row.ok();
}

/// The file gives ids by counting: the next new one is known.
StoredKeys::Track* StoredKeys::track_of(std::int64_t id) {
  const auto known = static_cast<std::int64_t>(tracks_.size());
  if (id < 1 || id > known + 1) return nullptr;
  if (id == known + 1) {
    auto found = look_up_key(id);
    if (!found || size_ == kMostKeys) return nullptr;
    name_bytes_ += name_bytes(found->key);
    if (name_bytes_ > kMostKeyBytes) return nullptr;
    ++size_;
    tracks_.push_back(std::move(found));
  }
  return tracks_[static_cast<std::size_t>(id - 1)].get();
}

void StoredKeys::forget(std::int64_t id) {
  auto& track = tracks_[static_cast<std::size_t>(id - 1)];
  name_bytes_ -= name_bytes(track->key);
  --size_;
  track.reset();
}

std::unique_ptr<StoredKeys::Track> StoredKeys::look_up_key(std::int64_t id) {
  auto row = look_up(key_by_id_, id);
  if (!row) return nullptr;
  auto track = std::make_unique<Track>();
  model::Identity& who = track->key.identity;
  who.netns = row->number<std::uint32_t>();
  const auto service = services_->find(row->integer());
  const bool is_other = row->flag();
  track->key.kind = kind_of(is_other, row->flag());
  who.pid = row->optional([](Columns& columns) { return columns.number<std::uint32_t>(kMaxPid); });
  who.start_ns = row->number<std::uint64_t>();
  who.comm = row->text();
  who.uid = row->number<std::uint32_t>();
  who.role = row->word(role_named, model::Role::kClient);
  who.port = row->number<std::uint16_t>();
  who.attribution = row->word(attribution_named, model::Attribution::kNone);
  who.ipv6 = row->flag();
  who.matched = row->flag();
  if (kind_ == Kind::kPeers) {
    track->key.peer.emplace();
    track->key.peer->address = row->text();
    track->key.peer->port = row->optional([](Columns& columns) { return columns.number<std::uint16_t>(); });
  }
  if (!service || !row->ok()) return nullptr;
  who.service = **service;
  track->names = model::hash_names(who);
  return track;
}

void StoredKeys::visit(const model::FactVisitor& visitor) const {
  const model::Counters zero;
  for (const auto& track : tracks_) {
    if (!track) continue;
    const model::TrackKey& key = track->key;
    visitor({key.identity, key.kind, key.peer ? &*key.peer : nullptr, track->counts, track->previous, zero, track->live,
             track->pids, track->exited, &track->names});
  }
}

}  // namespace twtrace::capture
