// SPDX-License-Identifier: Apache-2.0
// Every structure of abi.h, as the C++ compiler lays it out.
#pragma once

#include <twtrace/abi.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace twtrace::test {

struct AbiMember {
  std::string name;
  std::size_t offset = 0;
  std::size_t size = 0;
  bool operator==(const AbiMember&) const = default;
};

struct AbiStruct {
  std::string name;
  std::size_t size = 0;
  std::vector<AbiMember> members;
};

#define TW_MEMBER(type, member) \
  AbiMember { #member, offsetof(type, member), sizeof(type::member) }

inline std::vector<AbiStruct> abi_structs() {
  return {
      {"tw_counts",
       sizeof(tw_counts),
       {TW_MEMBER(tw_counts, time_wait),
        TW_MEMBER(tw_counts, fin_wait2),
        TW_MEMBER(tw_counts, overflow_time_wait),
        TW_MEMBER(tw_counts, overflow_fin_wait2),
        TW_MEMBER(tw_counts, no_memory),
        TW_MEMBER(tw_counts, expired),
        TW_MEMBER(tw_counts, reused),
        TW_MEMBER(tw_counts, recycled),
        TW_MEMBER(tw_counts, purged),
        TW_MEMBER(tw_counts, no_port),
        TW_MEMBER(tw_counts, resets_received),
        TW_MEMBER(tw_counts, resets_felt),
        TW_MEMBER(tw_counts, peer_resets),
        TW_MEMBER(tw_counts, peer_resets_avoidable),
        TW_MEMBER(tw_counts, resets_late),
        TW_MEMBER(tw_counts, resets_aborted),
        TW_MEMBER(tw_counts, resets_closed_port),
        TW_MEMBER(tw_counts, resets_other),
        TW_MEMBER(tw_counts, queue_drops),
        TW_MEMBER(tw_counts, no_port_bind)}},
      {"tw_row_key",
       sizeof(tw_row_key),
       {TW_MEMBER(tw_row_key, start_ns), TW_MEMBER(tw_row_key, cgroup_id), TW_MEMBER(tw_row_key, tgid),
        TW_MEMBER(tw_row_key, exec_id), TW_MEMBER(tw_row_key, uid), TW_MEMBER(tw_row_key, netns),
        TW_MEMBER(tw_row_key, port), TW_MEMBER(tw_row_key, role), TW_MEMBER(tw_row_key, attribution),
        TW_MEMBER(tw_row_key, family), TW_MEMBER(tw_row_key, matched), TW_MEMBER(tw_row_key, reserved)}},
      {"tw_row",
       sizeof(tw_row),
       {TW_MEMBER(tw_row, key), TW_MEMBER(tw_row, comm), TW_MEMBER(tw_row, first_ns), TW_MEMBER(tw_row, pending),
        TW_MEMBER(tw_row, scanned), TW_MEMBER(tw_row, counts), TW_MEMBER(tw_row, in_use), TW_MEMBER(tw_row, owner),
        TW_MEMBER(tw_row, many)}},
      {"tw_ports", sizeof(tw_ports), {TW_MEMBER(tw_ports, seen)}},
      {"tw_process",
       sizeof(tw_process),
       {TW_MEMBER(tw_process, start_ns), TW_MEMBER(tw_process, tgid), TW_MEMBER(tw_process, reserved)}},
      {"tw_owner_rows", sizeof(tw_owner_rows), {TW_MEMBER(tw_owner_rows, tag), TW_MEMBER(tw_owner_rows, count)}},
      {"tw_netns",
       sizeof(tw_netns),
       {TW_MEMBER(tw_netns, id), TW_MEMBER(tw_netns, inum), TW_MEMBER(tw_netns, in_use), TW_MEMBER(tw_netns, limit),
        TW_MEMBER(tw_netns, count), TW_MEMBER(tw_netns, total), TW_MEMBER(tw_netns, unattributed)}},
      {"tw_socket",
       sizeof(tw_socket),
       {TW_MEMBER(tw_socket, identity), TW_MEMBER(tw_socket, row), TW_MEMBER(tw_socket, scan)}},
      {"tw_bucket",
       sizeof(tw_bucket),
       {TW_MEMBER(tw_bucket, created_ns), TW_MEMBER(tw_bucket, row), TW_MEMBER(tw_bucket, scan),
        TW_MEMBER(tw_bucket, netns), TW_MEMBER(tw_bucket, local_port), TW_MEMBER(tw_bucket, remote_port),
        TW_MEMBER(tw_bucket, substate), TW_MEMBER(tw_bucket, reason)}},
      {"tw_slot", sizeof(tw_slot), {TW_MEMBER(tw_slot, state), TW_MEMBER(tw_slot, tag), TW_MEMBER(tw_slot, bucket)}},
      {"tw_felt", sizeof(tw_felt), {TW_MEMBER(tw_felt, identity), TW_MEMBER(tw_felt, key), TW_MEMBER(tw_felt, event)}},
      {"tw_cgroup",
       sizeof(tw_cgroup),
       {TW_MEMBER(tw_cgroup, length), TW_MEMBER(tw_cgroup, truncated), TW_MEMBER(tw_cgroup, text)}},
      {"tw_event",
       sizeof(tw_event),
       {TW_MEMBER(tw_event, time_ns), TW_MEMBER(tw_event, cookie), TW_MEMBER(tw_event, local_address),
        TW_MEMBER(tw_event, remote_address), TW_MEMBER(tw_event, row), TW_MEMBER(tw_event, local_port),
        TW_MEMBER(tw_event, remote_port), TW_MEMBER(tw_event, netns), TW_MEMBER(tw_event, kind),
        TW_MEMBER(tw_event, family), TW_MEMBER(tw_event, substate), TW_MEMBER(tw_event, reason),
        TW_MEMBER(tw_event, age_ds)}},
      {"tw_stats",
       sizeof(tw_stats),
       {TW_MEMBER(tw_stats, events_lost), TW_MEMBER(tw_stats, rows_full), TW_MEMBER(tw_stats, rows_busy),
        TW_MEMBER(tw_stats, netns_full), TW_MEMBER(tw_stats, sockets_full), TW_MEMBER(tw_stats, buckets_full),
        TW_MEMBER(tw_stats, cgroups_full), TW_MEMBER(tw_stats, pairs_lost), TW_MEMBER(tw_stats, wakeups),
        TW_MEMBER(tw_stats, refused_full)}},
      {"tw_kernel_counters",
       sizeof(tw_kernel_counters),
       {TW_MEMBER(tw_kernel_counters, tw), TW_MEMBER(tw_kernel_counters, tw_killed),
        TW_MEMBER(tw_kernel_counters, tw_recycled), TW_MEMBER(tw_kernel_counters, time_wait_overflow),
        TW_MEMBER(tw_kernel_counters, listen_overflows), TW_MEMBER(tw_kernel_counters, listen_drops),
        TW_MEMBER(tw_kernel_counters, attempt_fails), TW_MEMBER(tw_kernel_counters, estab_resets),
        TW_MEMBER(tw_kernel_counters, out_rsts)}},
      {"tw_mib_span",
       sizeof(tw_mib_span),
       {TW_MEMBER(tw_mib_span, tcp), TW_MEMBER(tw_mib_span, first), TW_MEMBER(tw_mib_span, words),
        TW_MEMBER(tw_mib_span, at)}},
      {"tw_namespace_reading",
       sizeof(tw_namespace_reading),
       {TW_MEMBER(tw_namespace_reading, id), TW_MEMBER(tw_namespace_reading, cookie),
        TW_MEMBER(tw_namespace_reading, node), TW_MEMBER(tw_namespace_reading, table),
        TW_MEMBER(tw_namespace_reading, table_mask), TW_MEMBER(tw_namespace_reading, inum),
        TW_MEMBER(tw_namespace_reading, limit), TW_MEMBER(tw_namespace_reading, count),
        TW_MEMBER(tw_namespace_reading, first_port), TW_MEMBER(tw_namespace_reading, last_port),
        TW_MEMBER(tw_namespace_reading, exiting), TW_MEMBER(tw_namespace_reading, own_table),
        TW_MEMBER(tw_namespace_reading, initial), TW_MEMBER(tw_namespace_reading, reserved),
        TW_MEMBER(tw_namespace_reading, counters), TW_MEMBER(tw_namespace_reading, settings)}},
      {"tw_walk",
       sizeof(tw_walk),
       {TW_MEMBER(tw_walk, heads),    TW_MEMBER(tw_walk, netns_node), TW_MEMBER(tw_walk, netns_id),
        TW_MEMBER(tw_walk, chains),   TW_MEMBER(tw_walk, nulls),      TW_MEMBER(tw_walk, listeners),
        TW_MEMBER(tw_walk, what),     TW_MEMBER(tw_walk, room),       TW_MEMBER(tw_walk, reserved),
        TW_MEMBER(tw_walk, place),    TW_MEMBER(tw_walk, place_id),   TW_MEMBER(tw_walk, entries),
        TW_MEMBER(tw_walk, chain),    TW_MEMBER(tw_walk, filled),     TW_MEMBER(tw_walk, dropped),
        TW_MEMBER(tw_walk, kept),     TW_MEMBER(tw_walk, attempts),   TW_MEMBER(tw_walk, restarts),
        TW_MEMBER(tw_walk, given_up), TW_MEMBER(tw_walk, gone),       TW_MEMBER(tw_walk, done),
        TW_MEMBER(tw_walk, padding)}},
      {"tw_socket_reading",
       sizeof(tw_socket_reading),
       {TW_MEMBER(tw_socket_reading, netns_id), TW_MEMBER(tw_socket_reading, local_address),
        TW_MEMBER(tw_socket_reading, remote_address), TW_MEMBER(tw_socket_reading, local_port),
        TW_MEMBER(tw_socket_reading, remote_port), TW_MEMBER(tw_socket_reading, family),
        TW_MEMBER(tw_socket_reading, state), TW_MEMBER(tw_socket_reading, what), TW_MEMBER(tw_socket_reading, role),
        TW_MEMBER(tw_socket_reading, chain), TW_MEMBER(tw_socket_reading, own_ports)}},
      {"tw_bind_walk",
       sizeof(tw_bind_walk),
       {TW_MEMBER(tw_bind_walk, chain), TW_MEMBER(tw_bind_walk, filled), TW_MEMBER(tw_bind_walk, given_up),
        TW_MEMBER(tw_bind_walk, done)}},
      {"tw_bind_reading",
       sizeof(tw_bind_reading),
       {TW_MEMBER(tw_bind_reading, netns_id), TW_MEMBER(tw_bind_reading, port), TW_MEMBER(tw_bind_reading, chosen),
        TW_MEMBER(tw_bind_reading, padding)}},
      {"tw_refused",
       sizeof(tw_refused),
       {TW_MEMBER(tw_refused, row_first_ns), TW_MEMBER(tw_refused, row), TW_MEMBER(tw_refused, until_ms)}},
      {"tw_listener_reading",
       sizeof(tw_listener_reading),
       {TW_MEMBER(tw_listener_reading, socket), TW_MEMBER(tw_listener_reading, id),
        TW_MEMBER(tw_listener_reading, netns_id), TW_MEMBER(tw_listener_reading, cgroup_id),
        TW_MEMBER(tw_listener_reading, address), TW_MEMBER(tw_listener_reading, uid),
        TW_MEMBER(tw_listener_reading, queue), TW_MEMBER(tw_listener_reading, queue_limit),
        TW_MEMBER(tw_listener_reading, drops), TW_MEMBER(tw_listener_reading, chain),
        TW_MEMBER(tw_listener_reading, port), TW_MEMBER(tw_listener_reading, family),
        TW_MEMBER(tw_listener_reading, ipv6_only)}},
      {"tw_closed_listener",
       sizeof(tw_closed_listener),
       {TW_MEMBER(tw_closed_listener, id), TW_MEMBER(tw_closed_listener, netns_id),
        TW_MEMBER(tw_closed_listener, queue), TW_MEMBER(tw_closed_listener, queue_limit),
        TW_MEMBER(tw_closed_listener, drops), TW_MEMBER(tw_closed_listener, row)}},
      {"tw_settings",
       sizeof(tw_settings),
       {TW_MEMBER(tw_settings, fin_timeout), TW_MEMBER(tw_settings, tw_reuse), TW_MEMBER(tw_settings, syn_backlog),
        TW_MEMBER(tw_settings, somaxconn), TW_MEMBER(tw_settings, usable_ports), TW_MEMBER(tw_settings, timestamps)}},
      {"tw_namespace_pass",
       sizeof(tw_namespace_pass),
       {TW_MEMBER(tw_namespace_pass, first), TW_MEMBER(tw_namespace_pass, last), TW_MEMBER(tw_namespace_pass, last_id),
        TW_MEMBER(tw_namespace_pass, filled), TW_MEMBER(tw_namespace_pass, done),
        TW_MEMBER(tw_namespace_pass, restarts), TW_MEMBER(tw_namespace_pass, reserved)}},
      {"tw_cpu", sizeof(tw_cpu), {TW_MEMBER(tw_cpu, offset), TW_MEMBER(tw_cpu, id), TW_MEMBER(tw_cpu, known)}},
  };
}

#undef TW_MEMBER

}  // namespace twtrace::test
