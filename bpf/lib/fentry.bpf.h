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
	if (owner__sends_first_fin(TW_DIRECT, sk) && !owner__is_remembered(TW_DIRECT, sk))
		owner__on_fin(TW_DIRECT, sk);
}

static __always_inline void fentry__on_alloc(struct sock *sk, struct inet_timewait_death_row *dr, int state,
					     struct inet_timewait_sock *tw)
{
	if (!bucket__is_counted(sk))
		bucket__on_alloc(TW_DIRECT, sk, dr, state, tw);
}

/* Not for refusals, nor without a cookie: there is nothing that the other one's work could be told by. */
static __always_inline void fentry__on_alloc_twin(struct sock *sk, struct inet_timewait_death_row *dr, int state,
						  struct inet_timewait_sock *tw)
{
	u64 cookie = (u64)sk->__sk_common.skc_cookie.counter;

	if (tw && cookie && conn__is_tcp(TW_DIRECT, sk) && !bucket__is_counted(sk) && bucket__has_place(cookie))
		bucket__on_alloc(TW_DIRECT, sk, dr, state, tw);
}

/* tcp_timewait_state_process has returned. */
static __always_inline void fentry__on_state_process(u64 *ctx)
{
	struct inet_timewait_sock *tw = (void *)ctx[0];

	bucket__on_segment(TW_DIRECT, &tw->__tw_common, compat__state_process_result(ctx));
}

#endif /* TWTRACE_FENTRY_BPF_H */
