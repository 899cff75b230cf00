/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is read of the listening sockets, which are in one table for all namespaces. */
#ifndef TWTRACE_READ_LISTENERS_BPF_H
#define TWTRACE_READ_LISTENERS_BPF_H

#include "conn.bpf.h"
#include "walk.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TW_READ_LISTENERS);
	__type(key, u32);
	__type(value, struct tw_listener_reading);
} listener_readings SEC(".maps");

/* Id of the cgroup v2 that the socket was created in; 0 when there is none. */
static __always_inline u64 listeners__cgroup_of(struct sock *sk)
{
	struct cgroup *cgroup = compat__sock_cgroup(TW_PROBED, sk);

	return cgroup ? BPF_CORE_READ(cgroup, kn, id) : 0;
}

static __always_inline void listeners__read_address(const struct sock_common *common,
						    struct tw_listener_reading *reading)
{
	u32 *words = (u32 *)reading->address;

	reading->family = TW_FAMILY_IPV4;
	words[0] = common->skc_rcv_saddr;
	if (common->skc_family != AF_INET6 || !bpf_core_field_exists(common->skc_v6_rcv_saddr))
		return;
	reading->family = TW_FAMILY_IPV6;
	words[0] = common->skc_v6_rcv_saddr.in6_u.u6_addr32[0];
	words[1] = common->skc_v6_rcv_saddr.in6_u.u6_addr32[1];
	words[2] = common->skc_v6_rcv_saddr.in6_u.u6_addr32[2];
	words[3] = common->skc_v6_rcv_saddr.in6_u.u6_addr32[3];
}

/* Writes down the entry for user space, if that wants it. Not inlined: so the verifier looks at it once. */
__noinline int listeners__take(u64 address)
{
	const struct sock_common *common = chain__common(&walk_entry);
	struct tw_listener_reading *reading;
	struct sock *sk = (void *)address;
	u32 drops = (u32)BPF_CORE_READ(sk, sk_drops.counter);
	u32 index = tw_walk.filled;

	if (tw_walk.what & TW_READ_DROPPED && !drops)
		return 0;
	reading = bpf_map_lookup_elem(&listener_readings, &index);
	if (!reading)
		return 0;
	__builtin_memset(reading, 0, sizeof(*reading));
	listeners__read_address(common, reading);
	reading->socket = address;
	reading->id = conn__listener_id(sk);
	reading->netns_id = compat__net_id(common->skc_net.net);
	reading->cgroup_id = listeners__cgroup_of(sk);
	reading->uid = BPF_CORE_READ(sk, sk_uid.val);
	reading->queue = BPF_CORE_READ(sk, sk_ack_backlog);
	reading->queue_limit = BPF_CORE_READ(sk, sk_max_ack_backlog);
	reading->drops = drops;
	reading->port = common->skc_num;
	reading->ipv6_only = BPF_CORE_READ_BITFIELD_PROBED((struct sock_common *)address, skc_ipv6only);
	reading->chain = tw_walk.chain;
	tw_walk.filled = index + 1;
	return 0;
}

#endif /* TWTRACE_READ_LISTENERS_BPF_H */
