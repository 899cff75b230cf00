/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads what the fentry backend is given, then calls the functions of all backends.
 *
 * The kernel skips a program on a CPU that has not left it yet: a softirq interrupts the program, or another task does
 * (lazy preemption, 6.13). So each program that tells whose a bucket is exists twice. While one of the two is held up,
 * the other one runs for what comes in between. The kernel decides which of the two runs first on a function. So each
 * of them leaves alone what the other one has done.
 */
#ifndef TWTRACE_FENTRY_BPF_H
#define TWTRACE_FENTRY_BPF_H

#include "bucket.bpf.h"

/* Both programs on tcp_send_fin. */
static __always_inline void fentry__on_send_fin(struct sock *sk)
{
	struct stored stored;

	if (owner__sends_first_fin(TW_DIRECT, sk) && !store__find_socket(TW_DIRECT, sk, &stored))
		owner__on_fin(TW_DIRECT, sk);
}

/*
 * Whether the other program on inet_twsk_alloc has counted the bucket of this socket. A bucket with the same cookie is
 * not enough: the socket may have left it before it was disconnected and connected again. Then the socket itself is
 * remembered.
 */
static __always_inline bool fentry__is_counted(const struct stored *stored)
{
	return !store__is_kept(stored) && store__knows_bucket(stored->cookie);
}

static __always_inline void fentry__on_alloc(struct sock *sk, struct inet_timewait_death_row *dr, int state,
					     struct inet_timewait_sock *tw)
{
	struct stored stored;

	if (!conn__is_tcp(TW_DIRECT, sk))
		return;
	store__find_socket(TW_DIRECT, sk, &stored);
	if (!fentry__is_counted(&stored))
		bucket__on_alloc(TW_DIRECT, &stored, sk, dr, state, tw);
}

/*
 * The second program leaves refusals and sockets without a cookie to the first: nothing would tell it whether the first
 * has counted them.
 */
static __always_inline void fentry__on_alloc_twin(struct sock *sk, struct inet_timewait_death_row *dr, int state,
						  struct inet_timewait_sock *tw)
{
	struct stored stored;

	if (!tw || !conn__is_tcp(TW_DIRECT, sk))
		return;
	store__find_socket(TW_DIRECT, sk, &stored);
	if (stored.cookie && !fentry__is_counted(&stored) && store__reserve_bucket(&stored))
		bucket__on_alloc(TW_DIRECT, &stored, sk, dr, state, tw);
}

/* tcp_timewait_state_process has returned. */
static __always_inline void fentry__on_state_process(u64 *ctx)
{
	struct inet_timewait_sock *tw = (void *)ctx[0];

	bucket__on_segment(TW_DIRECT, &tw->__tw_common, compat__state_process_result(ctx));
}

#endif /* TWTRACE_FENTRY_BPF_H */
