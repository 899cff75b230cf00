// SPDX-License-Identifier: Apache-2.0
#include "trace/translate.hpp"

#include <cstring>
#include <string>

#include "model/address.hpp"
#include "model/forecast.hpp"

namespace twtrace::trace {
namespace {

constexpr std::uint16_t kAgeUnknown = 65535;
/// A key with this bit is the address of a bucket, not its cookie (bpf/lib/conn.bpf.h).
constexpr unsigned kAddressBit = 63;

static_assert(TW_BUCKET_LIFE_MS == model::kBucketLifetimeS * 1000, "a bucket lives as long for the kernel side");

bool has_known_numbers(const tw_event& record) {
  const bool substate =
      record.substate == 0 || record.substate == TW_SUBSTATE_FIN_WAIT2 || record.substate == TW_SUBSTATE_TIME_WAIT;
  const bool family = record.family == TW_FAMILY_IPV4 || record.family == TW_FAMILY_IPV6;
  const bool kind = record.kind >= TW_EVENT_CREATED && record.kind <= TW_EVENT_RESET_FELT;
  const bool reason = record.reason <= (record.kind == TW_EVENT_RESET_SENT ? TW_RESET_CLOSED_PORT : TW_REASON_PURGED);
  const bool slots = record.row < TW_MAX_ROWS && record.netns < TW_MAX_NETNS;
  return kind && family && substate && slots && reason;
}

model::Attribution to_attribution(std::uint8_t attribution) {
  return attribution == TW_ATTRIBUTION_CLOSER ? model::Attribution::kCloser : model::Attribution::kCgroup;
}

}  // namespace

std::optional<tw_event> decode_record(std::span<const std::byte> bytes) {
  tw_event record{};
  if (bytes.size() < sizeof(record)) return std::nullopt;
  std::memcpy(&record, bytes.data(), sizeof(record));
  if (!has_known_numbers(record)) return std::nullopt;
  return record;
}

bool is_of_bind(const tw_event& record) { return record.kind == TW_EVENT_NO_PORT && record.remote_port == 0; }

model::Event to_event(const tw_event& record, std::int64_t wall_offset_ms) {
  model::Event event;
  event.kind = to_kind(record.kind);
  event.time_unix_ms = static_cast<std::int64_t>(record.time_ns / 1'000'000U) + wall_offset_ms;
  event.cookie = record.cookie;
  event.ipv6 = record.family == TW_FAMILY_IPV6;
  event.local_address = model::format_address(event.ipv6, record.local_address);
  event.local_port = record.local_port;
  if (!is_of_bind(record)) event.remote_address = model::format_address(event.ipv6, record.remote_address);
  event.remote_port = record.remote_port;
  event.substate = to_substate(record.substate);
  event.reason = to_reason(record.kind, record.reason);
  if (record.kind == TW_EVENT_REMOVED && record.age_ds != kAgeUnknown) event.age_s = record.age_ds / 10.0;
  return event;
}

model::Event to_event(const loader::SweptBucket& gone, std::int64_t now_unix_ms, std::uint64_t now_boottime_ns) {
  const tw_bucket& bucket = gone.bucket;
  model::Event event;
  event.kind = model::Event::Kind::kRemoved;
  event.time_unix_ms = now_unix_ms;
  event.cookie = gone.key >> kAddressBit != 0 ? 0 : gone.key;  // nobody may see a kernel address
  event.local_port = bucket.local_port;
  event.remote_port = bucket.remote_port;
  event.substate = to_substate(bucket.substate);
  if (bucket.created_ns != 0) event.age_s = static_cast<double>(now_boottime_ns - bucket.created_ns) / 1e9;
  return event;
}

model::Event to_event(const tw_socket_reading& gone, std::int64_t now_unix_ms) {
  model::Event event;
  event.kind = model::Event::Kind::kRemoved;
  event.time_unix_ms = now_unix_ms;
  event.ipv6 = gone.family == TW_FAMILY_IPV6;
  event.local_address = model::format_address(event.ipv6, gone.local_address);
  event.local_port = gone.local_port;
  event.remote_address = model::format_address(event.ipv6, gone.remote_address);
  event.remote_port = gone.remote_port;
  return event;
}

model::Event to_drop_event(std::uint64_t count, std::int64_t now_unix_ms) {
  model::Event event;
  event.kind = model::Event::Kind::kQueueDrop;
  event.time_unix_ms = now_unix_ms;
  event.count = count;
  return event;
}

kernel::NetnsCounters to_netns_counters(const tw_namespace_reading& reading) {
  kernel::NetnsCounters result;
  result.ext.tw = reading.counters.tw;
  result.ext.tw_killed = reading.counters.tw_killed;
  result.ext.tw_recycled = reading.counters.tw_recycled;
  result.ext.time_wait_overflow = reading.counters.time_wait_overflow;
  result.ext.listen_overflows = reading.counters.listen_overflows;
  result.ext.listen_drops = reading.counters.listen_drops;
  result.out_resets = reading.counters.out_rsts;
  result.in_use = reading.count;
  result.limit = reading.limit;
  if (reading.last_port != 0) result.local_ports = {reading.first_port, reading.last_port};
  return result;
}

std::optional<std::uint64_t> to_setting(std::uint32_t value) {
  return value == TW_SETTING_UNKNOWN ? std::nullopt : std::optional<std::uint64_t>(value);
}

model::NetnsSettings to_settings(const tw_namespace_reading& reading, std::uint64_t hertz) {
  model::NetnsSettings netns;
  netns.netns = reading.inum;
  netns.limit = reading.limit;
  netns.default_limit = (std::uint64_t{reading.table_mask} + 1) / 2;  // tcp_sk_init
  if (const auto jiffies = to_setting(reading.settings.fin_timeout); jiffies && hertz != 0) {
    netns.fin_timeout_s = *jiffies / hertz;
  }
  netns.tw_reuse = to_setting(reading.settings.tw_reuse);
  netns.timestamps = to_setting(reading.settings.timestamps);
  netns.syn_backlog = to_setting(reading.settings.syn_backlog);
  netns.somaxconn = to_setting(reading.settings.somaxconn);
  netns.ephemeral_ports = reading.settings.usable_ports;
  return netns;
}

model::Identity to_identity(const tw_row& row, std::uint32_t netns, base::Service service) {
  const tw_row_key& key = row.key;
  model::Identity identity;
  identity.netns = netns;
  identity.attribution = to_attribution(key.attribution);
  if (identity.attribution == model::Attribution::kCloser) {
    identity.pid = key.tgid;
    identity.start_ns = key.start_ns;
  }
  identity.comm = std::string(row.comm, ::strnlen(row.comm, sizeof(row.comm)));
  identity.uid = key.uid;
  identity.service = std::move(service);
  identity.role = key.role == TW_ROLE_SERVER ? model::Role::kServer : model::Role::kClient;
  identity.port = key.port;
  identity.ipv6 = key.family == TW_FAMILY_IPV6;
  identity.matched = key.matched != 0;
  return identity;
}

model::Counters to_counters(const tw_counts& counts) {
  model::Counters result;
  result.time_wait = counts.time_wait;
  result.fin_wait2 = counts.fin_wait2;
  result.overflow_time_wait = counts.overflow_time_wait;
  result.overflow_fin_wait2 = counts.overflow_fin_wait2;
  result.no_memory = counts.no_memory;
  result.expired = counts.expired;
  result.reused = counts.reused;
  result.recycled = counts.recycled;
  result.purged = counts.purged;
  result.no_port = counts.no_port;
  result.resets_received = counts.resets_received;
  result.resets_felt = counts.resets_felt;
  result.peer_resets = counts.peer_resets;
  result.peer_resets_avoidable = counts.peer_resets_avoidable;
  result.resets_late = counts.resets_late;
  result.resets_aborted = counts.resets_aborted;
  result.resets_closed_port = counts.resets_closed_port;
  result.resets_other = counts.resets_other;
  result.queue_drops = counts.queue_drops;
  result.no_port_bind = counts.no_port_bind;
  return result;
}

model::Losses to_losses(const tw_stats& stats, std::optional<std::uint64_t> recursion_misses) {
  model::Losses lost;
  lost.events = stats.events_lost;
  lost.rows_full = stats.rows_full;
  lost.rows_busy = stats.rows_busy;
  lost.netns_full = stats.netns_full;
  lost.sockets_full = stats.sockets_full;
  lost.buckets_full = stats.buckets_full;
  lost.cgroups_full = stats.cgroups_full;
  lost.pairs_lost = stats.pairs_lost;
  lost.refused_full = stats.refused_full;
  lost.recursion_misses = recursion_misses;
  return lost;
}

}  // namespace twtrace::trace
