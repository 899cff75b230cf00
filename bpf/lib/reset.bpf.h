/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counts the resets that this host sends, each with its cause. Together they are the kernel's OutRsts. Everything here
 * reads with bpf_probe_read_kernel, because a segment's headers have no BTF type.
 */
#ifndef TWTRACE_RESET_BPF_H
#define TWTRACE_RESET_BPF_H

#include "bucket.bpf.h"
#include "emit.bpf.h"

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

/* `event` has the reason, the namespace and the row. */
static __always_inline void reset__count(struct tw_netns *ns, struct tw_event *event, const struct conn *conn)
{
	struct tw_row *row = row__at(event->row);

	if (event->reason == TW_RESET_AVOIDABLE || event->reason == TW_RESET_REFUSED)
		bucket__count(ns, row, peer_resets);
	if (event->reason == TW_RESET_AVOIDABLE)
		bucket__count(ns, row, peer_resets_avoidable);
	else if (event->reason == TW_RESET_LATE)
		bucket__count(ns, row, resets_late);
	else if (event->reason == TW_RESET_ABORTED)
		bucket__count(ns, row, resets_aborted);
	else if (event->reason == TW_RESET_CLOSED_PORT)
		bucket__count(ns, row, resets_closed_port);
	else if (event->reason == TW_RESET_OTHER)
		bucket__count(ns, row, resets_other);
	event->time_ns = bpf_ktime_get_boot_ns();
	emit__event(event, conn);
}

static __always_inline void reset__read_conn(struct sock *sk, struct conn *conn)
{
	conn__read(TW_PROBED, &sk->__sk_common, conn);
	conn->local_port =
	    bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport)); /* inet_put_port clears skc_num */
}

/* The row of a socket: of whoever closed it, of the running process if that is `the_owner`, or of its creator. */
static __always_inline u32 reset__row(struct sock *sk, const struct conn *conn, u32 netns, u8 role, bool the_owner)
{
	struct tw_row_key key = {};
	struct stored stored;

	if (store__find_socket(TW_PROBED, sk, &stored))
		return store__row(&stored);
	owner__set_place(&key, conn, netns, role);
	return the_owner ? owner__intern_current(&key) : owner__intern_socket(TW_PROBED, sk, &key);
}

/*
 * tcp_send_active_reset. A process has closed the socket with unread data, with SO_LINGER and no time, or without
 * closing it first (connect(AF_UNSPEC), ss -K). Otherwise the kernel gives up the connection, in a timer.
 */
static __always_inline void reset__on_active(struct sock *sk)
{
	u32 netns = netns__intern(TW_PROBED, BPF_CORE_READ(sk, __sk_common.skc_net.net));
	struct tw_event event = {.kind = TW_EVENT_RESET_SENT, .netns = (u16)netns};
	bool aborted = owner__is_current(TW_PROBED, sk);
	struct tw_netns *ns = netns__at(netns);
	struct conn conn;

	if (!ns)
		return;
	reset__read_conn(sk, &conn);
	event.cookie = (u64)BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	event.reason = aborted ? TW_RESET_ABORTED : TW_RESET_OTHER;
	event.row = reset__row(sk, &conn, netns, role__of_socket(TW_PROBED, sk), aborted);
	reset__count(ns, &event, &conn);
}

/* The segment belongs to no connection that the kernel knows. True if that connection had been refused a bucket. */
static __always_inline bool reset__is_to_refused(const struct segment *segment, const struct tw_netns *ns,
						 struct tw_event *event)
{
	bool in_time;

	if (!refused__find(&segment->conn, ns->id, &event->row, &in_time))
		return false;
	event->reason = !segment->has_data && in_time ? TW_RESET_AVOIDABLE : TW_RESET_REFUSED;
	return true;
}

/* The segment belongs to a socket, which may listen. */
static __always_inline void reset__set_owner(struct sock *sk, u8 state, struct tw_event *event)
{
	u8 role = state == TCP_LISTEN ? TW_ROLE_SERVER : role__of_socket(TW_PROBED, sk);
	struct conn conn;

	if (conn__is_orphan(TW_PROBED, sk))
		event->reason = TW_RESET_LATE;
	reset__read_conn(sk, &conn);
	event->row = reset__row(sk, &conn, event->netns, role, false);
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
	struct tw_event event = {.kind = TW_EVENT_RESET_SENT, .row = TW_ROW_NONE};
	u8 state = sk ? BPF_CORE_READ(sk, __sk_common.skc_state) : 0;
	struct segment segment;
	struct tw_netns *ns;
	struct net *net;
	bool connects;

	segment__read(skb, &segment);
	if (segment.flags & RESET_FLAG_RST) /* both functions return at once */
		return;
	/* A segment from a socket's backlog has no device any more. */
	net = sk ? BPF_CORE_READ(sk, __sk_common.skc_net.net) : BPF_CORE_READ(skb, dev, nd_net.net);
	event.netns = (u16)netns__intern(TW_PROBED, net);
	ns = netns__at(event.netns);
	if (!ns)
		return;
	/* A new connection from the same port as one that was refused a bucket has nothing to do with it. */
	connects = (segment.flags & (RESET_FLAG_SYN | RESET_FLAG_ACK)) == RESET_FLAG_SYN;
	if (!connects && (!sk || state == TCP_LISTEN) && reset__is_to_refused(&segment, ns, &event)) {
		/* reset__is_to_refused has set the row and the reason. */
	} else if (!sk) {
		if (connects)
			event.reason = TW_RESET_CLOSED_PORT;
	} else if (state == TCP_TIME_WAIT) {
		event.reason = TW_RESET_LATE;
		event.row = reset__row_of_bucket(&sk->__sk_common);
	} else if (state != TCP_NEW_SYN_RECV) {
		reset__set_owner(sk, state, &event);
	}
	if (sk && state != TCP_LISTEN)
		event.cookie = (u64)BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	reset__count(ns, &event, &segment.conn);
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
