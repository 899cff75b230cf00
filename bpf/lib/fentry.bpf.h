/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the fentry backend reads before it ends in the functions of all backends.
 *
 * The kernel skips a program on a CPU that has not left it yet: a softirq interrupts it, or (lazy preemption, 6.13) the
 * task inside it has to wait for another. So what tells whose a bucket is exists twice: while one of the two is held up
 * the other runs for what comes in between. Their order on a function is the kernel's affair, so either leaves alone
 * what the other has done.
 */
#ifndef TWTRACE_FENTRY_BPF_H
#define TWTRACE_FENTRY_BPF_H

#include "bucket.bpf.h"

/* Either of the two programs on tcp_send_fin. */
static __always_inline void fentry__on_send_fin(struct sock *sk)
{
	struct stored stored;

	if (owner__sends_first_fin(TW_DIRECT, sk) && !store__find_socket(TW_DIRECT, sk, &stored))
		owner__on_fin(TW_DIRECT, sk);
}

/*
 * Whether the other program on inet_twsk_alloc has counted the bucket of this socket. A socket that was disconnected
 * and connected again has the cookie of a bucket that it left before, but it is remembered itself.
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

/* Not for refusals, nor without a cookie: there is nothing that the other one's work could be told by. */
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
