/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the backend reads that has the tracepoint sock:inet_sock_set_state alone, before it ends in those of all. */
#ifndef TWTRACE_TRACEPOINT_BPF_H
#define TWTRACE_TRACEPOINT_BPF_H

#include "ehash.bpf.h"

/* Whether the kernel has just refused a bucket: see overflow__look. */
static __always_inline bool tracepoint__was_refused(struct net *net, u32 netns, const struct outcome *outcome)
{
	enum overflow_verdict verdict = overflow__look(net, netns);

	if (verdict == OVERFLOW_UNKNOWN)
		return bucket__was_at_limit(outcome);
	return verdict == OVERFLOW_COUNTED;
}

/* tcp_fin has run (it sets SOCK_DONE), so TIME_WAIT was asked for; before it only an orphan's FIN_WAIT2 is. */
static __always_inline u8 tracepoint__substate_asked_for(struct sock *sk)
{
	u64 done = 1ULL << bpf_core_enum_value(enum sock_flags, SOCK_DONE);

	return sk->__sk_common.skc_flags & done ? TW_SUBSTATE_TIME_WAIT : TW_SUBSTATE_FIN_WAIT2;
}

/*
 * Two of the same, as with fentry: a softirq ends up to 64 connections at once. Here their order is known, a tracepoint
 * keeps that of attaching, and what the first has done the second leaves alone.
 */
enum turn {
	FIRST_TURN,
	SECOND_TURN,
};

/* Process context: somebody closes. The state is stored after the tracepoint. */
static __always_inline void tracepoint__on_close(enum turn turn, struct sock *sk)
{
	if (turn == FIRST_TURN || !owner__is_remembered(TW_DIRECT, sk))
		owner__on_fin(TW_DIRECT, sk);
}

/* Softirq, mostly: a connection that sent its FIN first has come to its end. */
static __always_inline void tracepoint__on_end(enum turn turn, struct sock *sk)
{
	struct outcome outcome = {.cookie = (u64)sk->__sk_common.skc_cookie.counter};
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk); /* the verifier takes no cast for it */
	struct net *net = sk->__sk_common.skc_net.net;
	struct inet_timewait_death_row *dr = compat__death_row(TW_DIRECT, net);
	struct closer closer;
	struct conn conn;
	bool refused;
	u32 netns;

	if (!tcp || (turn == SECOND_TURN && bucket__is_counted(sk)))
		return;
	owner__take(TW_DIRECT, sk, outcome.cookie, &closer);
	if (turn == SECOND_TURN && !closer.seen)
		return;
	netns = owner__netns(TW_DIRECT, sk, &closer);
	conn__read(TW_DIRECT, &sk->__sk_common, &conn);
	conn.local_port = bpf_ntohs(tcp->inet_conn.icsk_inet.inet_sport); /* inet_put_port has cleared skc_num */
	outcome__read_table(TW_DIRECT, dr, &outcome);
	outcome.bucket = ehash__find_bucket(turn, sk, dr->hashinfo, conn.local_port);
	refused = tracepoint__was_refused(net, netns, &outcome);
	if (!outcome.bucket && !refused) { /* aborted: no bucket was asked for */
		owner__let_go(&closer);
		return;
	}
	/* Not the bucket's tw_substate: a FIN on another CPU may have made TIME_WAIT of FIN_WAIT2 by now. */
	outcome.substate = tracepoint__substate_asked_for(sk);
	if (!closer.seen) /* the port is the bucket's by now */
		outcome.role = outcome.bucket ? role__of_bucket((void *)outcome.bucket, (u16)netns, conn.local_port)
					      : role__by_port((u16)netns, conn.local_port);
	bucket__on_outcome(TW_DIRECT, sk, &conn, netns, &closer, &outcome);
}

/*
 * A close() that finds the FIN of a shutdown() not acknowledged yet stores FIN_WAIT1 again (tcp_close_state): nobody
 * sends a FIN then.
 */
static __always_inline void tracepoint__on_state_change(enum turn turn, struct sock *sk, int from, int to)
{
	bool ends = to == TCP_CLOSE && (from == TCP_FIN_WAIT2 || from == TCP_CLOSING || from == TCP_FIN_WAIT1);
	bool closes = to == TCP_FIN_WAIT1 && from != TCP_FIN_WAIT1;

	if (!ends && !closes && to != TCP_LISTEN)
		return;
	if (!tw_enabled || !conn__is_tcp(TW_DIRECT, sk))
		return;
	if (ends)
		tracepoint__on_end(turn, sk);
	else if (closes)
		tracepoint__on_close(turn, sk);
	else
		role__on_listen(TW_DIRECT, sk);
}

#endif /* TWTRACE_TRACEPOINT_BPF_H */
