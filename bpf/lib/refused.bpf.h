/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Remembers which connections were refused a bucket, the last TW_MAX_REFUSED of them. A later segment finds no socket,
 * and nothing in the kernel tells why.
 */
#ifndef TWTRACE_REFUSED_BPF_H
#define TWTRACE_REFUSED_BPF_H

#include "conn.bpf.h"
#include "intern.bpf.h"

/* Key: refused__key. Not an LRU, which drops entries long before it is full. The loader resizes it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TW_MAX_REFUSED);
	__type(key, u64);
	__type(value, struct tw_refused);
} refused_connections SEC(".maps");

/* Its keys, the oldest first. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, TW_MAX_REFUSED);
	__type(value, u64);
} refused_order SEC(".maps");

/*
 * `netns`: the id of the namespace, because its slot may be given to another one. The key has 64 bits, so two
 * remembered connections practically never share one.
 */
static __always_inline u64 refused__key(const struct conn *conn, u64 netns)
{
	u64 hash = ports__mix(netns, (u64)conn->local_port << 32 | (u64)conn->remote_port << 8 | conn->family);

	hash = ports__mix(hash, (u64)conn->local[0] << 32 | conn->local[1]);
	hash = ports__mix(hash, (u64)conn->local[2] << 32 | conn->local[3]);
	hash = ports__mix(hash, (u64)conn->remote[0] << 32 | conn->remote[1]);
	return ports__mix(hash, (u64)conn->remote[2] << 32 | conn->remote[3]);
}

static __always_inline u32 refused__now_ms(void)
{
	return (u32)(bpf_ktime_get_ns() / 1000000);
}

/*
 * How long the bucket of an orphan would have lived in FIN_WAIT2, in ms: tcp_fin_time() of include/net/tcp.h, all
 * versions. The socket itself waits for what is more than TCP_TIMEWAIT_LEN, and the bucket would get that rest
 * (tcp_keepalive_timer). Takes an address. A global function: see cgroup__intern.
 */
__noinline u32 refused__fin_wait2_ms(u64 address)
{
	struct sock *sk = (struct sock *)address;
	u32 least, jiffies, ms;

	if (!tw_can_probe_read || !tw_jiffy_ns)
		return TW_BUCKET_LIFE_MS;
	least = BPF_CORE_READ((struct inet_connection_sock *)sk, icsk_rto) * 7 / 2;
	jiffies = (u32)BPF_CORE_READ((struct tcp_sock *)sk, linger2);
	if (!jiffies)
		jiffies = compat__setting(BPF_CORE_READ(sk, __sk_common.skc_net.net), ipv4.sysctl_tcp_fin_timeout);
	if (jiffies < least)
		jiffies = least;
	ms = (u32)((u64)jiffies * tw_jiffy_ns / 1000000);
	if (ms > TW_BUCKET_LIFE_MS)
		ms -= TW_BUCKET_LIFE_MS;
	return ms < TW_BUCKET_LIFE_MS ? ms : TW_BUCKET_LIFE_MS;
}

/* Its bucket would have lived so long. Makes room by forgetting the oldest. A global function: see cgroup__intern. */
__noinline int refused__remember(u64 key, u32 row_id, u32 life_ms)
{
	struct tw_row *row = row__at(row_id);
	struct tw_refused refused = {
	    .row_first_ns = row ? row->first_ns : 0, .row = row_id, .until_ms = refused__now_ms() + life_ms};
	struct tw_refused *known = bpf_map_lookup_elem(&refused_connections, &key);
	u64 oldest;

	if (known) {
		*known = refused;
		return 0;
	}
	if (bpf_map_update_elem(&refused_connections, &key, &refused, BPF_NOEXIST)) {
		stats__add(refused_full);
		if (bpf_map_pop_elem(&refused_order, &oldest))
			return 0;
		bpf_map_delete_elem(&refused_connections, &oldest);
		if (bpf_map_update_elem(&refused_connections, &key, &refused, BPF_NOEXIST))
			return 0;
	}
	bpf_map_push_elem(&refused_order, &key, BPF_EXIST);
	return 0;
}

/*
 * Whether the connection was refused a bucket. Sets the row that it was refused to (TW_ROW_NONE: that row is gone), and
 * whether the bucket could still be there.
 */
static __always_inline bool refused__find(const struct conn *conn, u64 netns, u32 *row_id, bool *in_time)
{
	u64 key = refused__key(conn, netns);
	struct tw_refused *refused = bpf_map_lookup_elem(&refused_connections, &key);
	struct tw_row *row;

	if (!refused)
		return false;
	row = row__at(refused->row);
	*row_id = row && row->in_use && row->first_ns == refused->row_first_ns ? refused->row : TW_ROW_NONE;
	*in_time = (int)(refused->until_ms - refused__now_ms()) >= 0;
	return true;
}

#endif /* TWTRACE_REFUSED_BPF_H */
