// SPDX-License-Identifier: Apache-2.0
#include "view/row_key.hpp"

#include <functional>

namespace twtrace::view {
namespace {

/// Their processes are not known.
Dimensions dimensions_before_start(model::Group group) {
  switch (group) {
    case model::Group::kService:
      return {.service = true};
    case model::Group::kPort:
      return {.port = true};
    case model::Group::kNetns:
      return {};
    case model::Group::kPeer:
      return {.service = true, .port = true, .peer = true};
    default:
      return {.service = true, .port = true};
  }
}

Dimensions dimensions(model::Group group, model::RowKind kind) {
  if (kind == model::RowKind::kBeforeStart) return dimensions_before_start(group);
  if (kind != model::RowKind::kNormal) return {};
  switch (group) {
    case model::Group::kProcess:
      return {.program = true, .service = true, .port = true};
    case model::Group::kPid:
      return {.process = true, .program = true, .service = true, .port = true};
    case model::Group::kService:
      return {.service = true};
    case model::Group::kPort:
      return {.port = true};
    case model::Group::kPeer:
      return {.program = true, .service = true, .port = true, .peer = true};
    case model::Group::kNetns:
      return {};
  }
  return {};
}

void mix(std::uint64_t& hash, std::uint64_t value) {
  // The finisher of SplitMix64 (Steele, Lea and Flood, 2014).
  hash ^= value + 0x9e3779b97f4a7c15U + (hash << 6U) + (hash >> 2U);
  hash = (hash ^ (hash >> 30U)) * 0xbf58476d1ce4e5b9U;
  hash = (hash ^ (hash >> 27U)) * 0x94d049bb133111ebU;
  hash ^= hash >> 31U;
}

std::uint64_t hash_of(std::string_view text) { return std::hash<std::string_view>{}(text); }

std::uint64_t hash_of(const RowKey& key) {
  auto hash = static_cast<std::uint64_t>(key.kind);
  const model::Identity& who = *key.who;
  const auto name = [&](std::uint64_t model::NameHashes::*kept, std::string_view text) {
    mix(hash, key.names != nullptr ? key.names->*kept : hash_of(text));
  };
  mix(hash, who.netns);
  if (key.by.process) {
    mix(hash, who.pid.value_or(0));
    mix(hash, who.start_ns);
    mix(hash, who.uid);
  }
  if (key.by.program) {
    name(&model::NameHashes::comm, who.comm);
    mix(hash, static_cast<std::uint64_t>(who.attribution));
  }
  if (key.by.service) {
    name(&model::NameHashes::service_name, who.service.name);
    name(&model::NameHashes::service_cgroup, who.service.own_cgroup());
  }
  if (key.by.port) mix(hash, std::uint64_t{who.port} << 1U | static_cast<std::uint64_t>(who.role));
  if (key.peer != nullptr) {
    mix(hash, hash_of(key.peer->address));
    mix(hash, key.peer->port.value_or(0));
  }
  return hash | 1U;  // 0 means unknown
}

}  // namespace

RowKey key_of(const model::Fact& fact, model::Group group) {
  const Dimensions by = dimensions(group, fact.kind);
  RowKey key{&fact.identity, by.peer ? fact.peer : nullptr, fact.kind, by, fact.names, 0};
  key.hash = hash_of(key);
  return key;
}

RowKey without_peer(RowKey key) {
  key.peer = nullptr;
  key.hash = hash_of(key);
  return key;
}

bool is_same(const RowKey& left, const RowKey& right) {
  if (left.hash != right.hash || left.kind != right.kind) return false;
  const model::Identity& a = *left.who;
  const model::Identity& b = *right.who;
  const Dimensions& by = left.by;
  const bool same_peer =
      left.peer == nullptr || right.peer == nullptr ? left.peer == right.peer : *left.peer == *right.peer;
  return a.netns == b.netns && same_peer &&
         (!by.process || (a.pid == b.pid && a.start_ns == b.start_ns && a.uid == b.uid)) &&
         (!by.program || (a.comm == b.comm && a.attribution == b.attribution)) &&
         (!by.service || base::is_same(a.service, b.service)) && (!by.port || (a.port == b.port && a.role == b.role));
}

std::uint64_t netns_row_id(model::RowKind kind, std::uint32_t netns) {
  auto id = static_cast<std::uint64_t>(kind);
  mix(id, netns);
  return id | 1U;
}

}  // namespace twtrace::view
