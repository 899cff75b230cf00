/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counts the resets that this host sends, each with its cause. Together they are the kernel's OutRsts. Everything here
 * reads with bpf_probe_read_kernel, because a segment's headers have no BTF type.
 */
#ifndef TWTRACE_RESET_BPF_H
#define TWTRACE_RESET_BPF_H

#include "bucket.bpf.h"

/* include/net/tcp.h: bits of the flags in the TCP header (RFC 9293). */
#define RESET_FLAG_SYN 0x02
#define RESET_FLAG_RST 0x04
#define RESET_FLAG_ACK 0x10

/* The first bytes of a TCP header on the wire. */
struct tcp_header {
	u16 source;
	u16 dest;
	u32 seq;
	u32 ack_seq;
	u8 offset; /* upper half: length of the header in words of 4 bytes */
	u8 flags;
};

/* A segment that arrived, and is answered with a reset. */
struct segment {
	struct conn conn; /* as this end would have it: we are the local side */
	u8 flags;
	bool has_data;
};

/* skb->len counts from skb->data. */
static __always_inline void segment__read(struct sk_buff *skb, struct segment *segment)
{
	u8 *head = BPF_CORE_READ(skb, head);
	u8 *ip = head + BPF_CORE_READ(skb, network_header);
	u8 *transport = head + BPF_CORE_READ(skb, transport_header);
	u64 end = (u64)BPF_CORE_READ(skb, data) + BPF_CORE_READ(skb, len);
	struct conn *conn = &segment->conn;
	struct tcp_header tcp = {};
	u8 version = 0;

	bpf_probe_read_kernel(&tcp, sizeof(tcp), transport);
	bpf_probe_read_kernel(&version, sizeof(version), ip);
	segment->flags = tcp.flags;
	segment->has_data = end > (u64)transport + (tcp.offset >> 4) * 4;
	__builtin_memset(conn, 0, sizeof(*conn));
	conn->local_port = bpf_ntohs(tcp.dest);
	conn->remote_port = bpf_ntohs(tcp.source);
	if (version >> 4 == 6) { /* the addresses of struct ipv6hdr and of struct iphdr */
		conn->family = TW_FAMILY_IPV6;
		bpf_probe_read_kernel(conn->remote, 16, ip + 8);
		bpf_probe_read_kernel(conn->local, 16, ip + 24);
	} else {
		conn->family = TW_FAMILY_IPV4;
		bpf_probe_read_kernel(conn->remote, 4, ip + 12);
		bpf_probe_read_kernel(conn->local, 4, ip + 16);
	}
}

/* Why a reset was sent if the connection had not been refused a bucket. */
enum reset_cause {
	RESET_LATE,
	RESET_ABORTED,
	RESET_CLOSED_PORT,
	RESET_OTHER,
};

static __always_inline void reset__count(struct tw_netns *ns, u32 row_id, enum reset_cause cause)
{
	struct tw_row *row = row__at(row_id);

	if (cause == RESET_LATE)
		bucket__count(ns, row, resets_late);
	else if (cause == RESET_ABORTED)
		bucket__count(ns, row, resets_aborted);
	else if (cause == RESET_CLOSED_PORT)
		bucket__count(ns, row, resets_closed_port);
	else
		bucket__count(ns, row, resets_other);
}

/* The row of a socket: of whoever closed it, of the running process if that is `the_owner`, or of its creator. */
static __always_inline u32 reset__row(struct sock *sk, u32 netns, u8 role, bool the_owner)
{
	struct tw_row_key key = {};
	struct stored stored;
	struct conn conn;

	if (store__find_socket(TW_PROBED, sk, &stored))
		return store__row(&stored);
	conn__read(TW_PROBED, &sk->__sk_common, &conn);
	conn.local_port =
	    bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport)); /* inet_put_port clears skc_num */
	owner__set_place(&key, &conn, netns, role);
	return the_owner ? owner__intern_current(&key) : owner__intern_socket(TW_PROBED, sk, &key);
}

/*
 * tcp_send_active_reset. A process has closed the socket with unread data, with SO_LINGER and no time, or without
 * closing it first (connect(AF_UNSPEC), ss -K). Otherwise the kernel gives up the connection, in a timer.
 */
static __always_inline void reset__on_active(struct sock *sk)
{
	u32 netns = netns__intern(TW_PROBED, BPF_CORE_READ(sk, __sk_common.skc_net.net));
	bool aborted = owner__is_current(TW_PROBED, sk);
	struct tw_netns *ns = netns__at(netns);

	if (ns)
		reset__count(ns, reset__row(sk, netns, role__of_socket(TW_PROBED, sk), aborted),
			     aborted ? RESET_ABORTED : RESET_OTHER);
}

/* The segment belongs to no connection that the kernel knows. True if that connection had been refused a bucket. */
static __always_inline bool reset__on_stranger(struct tw_netns *ns, u32 netns, const struct segment *segment)
{
	struct tw_row *row;
	bool in_time;
	u32 row_id;

	if (!refused__find(&segment->conn, netns, &row_id, &in_time))
		return false;
	row = row__at(row_id);
	bucket__count(ns, row, peer_resets);
	if (!segment->has_data && in_time)
		bucket__count(ns, row, peer_resets_avoidable);
	return true;
}

static __always_inline u32 reset__row_of_bucket(struct sock_common *skc)
{
	struct stored stored;

	if (!store__find_bucket((u64)BPF_CORE_READ(skc, skc_cookie.counter), (u64)skc, &stored))
		return TW_ROW_NONE;
	return stored.bucket->row;
}

/* tcp_v4_send_reset or tcp_v6_send_reset answers a segment. `sk`: the socket, the bucket or the listener; or NULL. */
static __always_inline void reset__on_answer(struct sock *sk, struct sk_buff *skb)
{
	u8 state = sk ? BPF_CORE_READ(sk, __sk_common.skc_state) : 0;
	enum reset_cause cause = RESET_OTHER;
	u32 row_id = TW_ROW_NONE;
	struct segment segment;
	struct tw_netns *ns;
	struct net *net;
	u32 netns;

	segment__read(skb, &segment);
	if (segment.flags & RESET_FLAG_RST) /* both functions return at once */
		return;
	/* A segment from a socket's backlog has no device any more. */
	net = sk ? BPF_CORE_READ(sk, __sk_common.skc_net.net) : BPF_CORE_READ(skb, dev, nd_net.net);
	netns = netns__intern(TW_PROBED, net);
	ns = netns__at(netns);
	if (!ns)
		return;
	if ((!sk || state == TCP_LISTEN) && reset__on_stranger(ns, netns, &segment))
		return;
	if (!sk) {
		cause = (segment.flags & (RESET_FLAG_SYN | RESET_FLAG_ACK)) == RESET_FLAG_SYN ? RESET_CLOSED_PORT
											      : RESET_OTHER;
	} else if (state == TCP_TIME_WAIT) {
		cause = RESET_LATE;
		row_id = reset__row_of_bucket(&sk->__sk_common);
	} else if (state != TCP_NEW_SYN_RECV) {
		if (conn__is_orphan(TW_PROBED, sk))
			cause = RESET_LATE;
		row_id =
		    reset__row(sk, netns, state == TCP_LISTEN ? TW_ROLE_SERVER : role__of_socket(TW_PROBED, sk), false);
	}
	reset__count(ns, row_id, cause);
}

/* A global function: see cgroup__intern. Takes addresses. */
__noinline int reset__on_sent(u64 sk, u64 skb)
{
	if (!tw_can_probe_read || !tw_enabled)
		return 0;
	if (skb)
		reset__on_answer((struct sock *)sk, (struct sk_buff *)skb);
	else if (sk)
		reset__on_active((struct sock *)sk);
	return 0;
}

/*
 * Since 6.10 (19822a980e19) tcp:tcp_send_reset shows every reset. Before, it shows none that comes from a bucket or has
 * no socket, so there the functions that answer a segment have programs of their own.
 */
static __always_inline void reset__on_tracepoint(u64 sk, u64 skb)
{
	if (!skb || !tw_resets_by_function)
		reset__on_sent(sk, skb);
}

#endif /* TWTRACE_RESET_BPF_H */
