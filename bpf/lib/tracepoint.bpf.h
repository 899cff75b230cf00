/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reads what the tracepoint sock:inet_sock_set_state tells, then calls the functions of all backends. */
#ifndef TWTRACE_TRACEPOINT_BPF_H
#define TWTRACE_TRACEPOINT_BPF_H

#include "ehash.bpf.h"
#include "harm.bpf.h"

/* Whether the kernel has just refused a bucket. */
static __always_inline bool tracepoint__was_refused(struct net *net, u32 netns, const struct outcome *outcome)
{
	enum overflow_verdict verdict = overflow__look(net, netns);

	if (verdict == OVERFLOW_UNKNOWN)
		return bucket__was_at_limit(outcome);
	return verdict == OVERFLOW_COUNTED;
}

/*
 * The substate that the kernel asked for: TIME_WAIT once tcp_fin has run, which sets SOCK_DONE, else an orphan's
 * FIN_WAIT2. Computed without a branch, because the verifier would follow it to the end for each of the two.
 */
static __always_inline u8 tracepoint__substate_asked_for(struct sock *sk)
{
	u64 done = sk->__sk_common.skc_flags >> bpf_core_enum_value(enum sock_flags, SOCK_DONE) & 1;

	return (u8)(TW_SUBSTATE_FIN_WAIT2 + done);
}

/*
 * There are two of the same program, as in fentry.bpf.h: a softirq may interrupt the first one, and end up to 64
 * connections meanwhile. A tracepoint runs its programs in the order in which they were attached. So the second one
 * leaves alone what the first one has done.
 */
enum turn {
	FIRST_TURN,
	SECOND_TURN,
};

/* Somebody closes, in process context. The kernel stores the new state after the tracepoint. */
static __always_inline void tracepoint__on_close(enum turn turn, struct sock *sk)
{
	struct stored stored;

	if (turn == FIRST_TURN || !store__find_socket(TW_DIRECT, sk, &stored))
		owner__on_fin(TW_DIRECT, sk);
}

/* A connection that sent its FIN first comes to its end, mostly in softirq. */
static __always_inline void tracepoint__on_end(enum turn turn, struct sock *sk)
{
	struct net *net = sk->__sk_common.skc_net.net;
	struct inet_timewait_death_row *dr;
	struct outcome outcome = {};
	struct stored stored;
	struct tcp_sock *tcp;
	struct conn conn;
	u32 netns, row;
	bool refused;

	if (!store__find_socket(TW_DIRECT, sk, &stored) && turn == SECOND_TURN)
		return;
	tcp = bpf_skc_to_tcp_sock(sk); /* the verifier takes no cast instead */
	if (!tcp)
		return;
	dr = compat__death_row(TW_DIRECT, net);
	netns = store__netns(TW_DIRECT, sk, &stored);
	conn__read(TW_DIRECT, &sk->__sk_common, &conn);
	conn.local_port = bpf_ntohs(tcp->inet_conn.icsk_inet.inet_sport); /* inet_put_port has cleared skc_num */
	outcome__read_table(TW_DIRECT, dr, &outcome);
	outcome.bucket = ehash__find_bucket(turn, sk, dr->hashinfo, conn.local_port);
	refused = tracepoint__was_refused(net, netns, &outcome);
	if (!outcome.bucket && !refused) { /* the connection was aborted */
		store__forget_socket(&stored);
		return;
	}
	/* The bucket's own tw_substate may have changed: a FIN on another CPU makes TIME_WAIT of FIN_WAIT2. */
	outcome.substate = tracepoint__substate_asked_for(sk);
	row = store__is_kept(&stored)
		  ? store__row(&stored)
		  : bucket__row_of_socket(TW_DIRECT, sk, &conn, netns, role__of(TW_DIRECT, &tcp->inet_conn.icsk_inet));
	bucket__on_outcome(sk, &stored, &conn, netns, row, &outcome);
}

/*
 * If close() comes before the FIN of a shutdown() is acknowledged, the kernel stores FIN_WAIT1 once more
 * (tcp_close_state), and sends no FIN.
 */
static __always_inline void tracepoint__on_state_change(enum turn turn, struct sock *sk, int from, int to)
{
	bool ends = to == TCP_CLOSE && (from == TCP_FIN_WAIT2 || from == TCP_CLOSING || from == TCP_FIN_WAIT1);
	bool closes = to == TCP_FIN_WAIT1 && from != TCP_FIN_WAIT1;
	bool fails = turn == FIRST_TURN && from == TCP_SYN_SENT && to == TCP_CLOSE;
	bool stops = turn == FIRST_TURN && from == TCP_LISTEN && to == TCP_CLOSE;

	if (!(ends || closes || fails || stops) || !tw_enabled || !conn__is_tcp(TW_DIRECT, sk))
		return;
	if (ends)
		tracepoint__on_end(turn, sk);
	else if (closes)
		tracepoint__on_close(turn, sk);
	else if (fails)
		harm__on_failed_connect(TW_DIRECT, sk);
	else
		listener__on_close(tw_untyped(sk));
}

#endif /* TWTRACE_TRACEPOINT_BPF_H */
