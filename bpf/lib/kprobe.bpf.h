/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reads what the kprobe backend is given, then calls the functions of all backends. A kretprobe sees no arguments. */
#ifndef TWTRACE_KPROBE_BPF_H
#define TWTRACE_KPROBE_BPF_H

#include "bucket.bpf.h"
#include "harm.bpf.h"
#include "pair.bpf.h"

static __always_inline void kprobe__on_send_fin(struct sock *sk)
{
	if (owner__sends_first_fin(TW_PROBED, sk))
		owner__on_fin(TW_PROBED, sk);
}

static __always_inline void kprobe__on_alloc_return(struct inet_timewait_sock *tw)
{
	struct inet_timewait_death_row *dr;
	struct stored stored;
	struct pair_args args;
	struct sock *sk;

	if (!pair__leave(PAIR_TWSK_ALLOC, &args))
		return;
	sk = (struct sock *)args.first;
	dr = (struct inet_timewait_death_row *)args.second;
	if (!conn__is_tcp(TW_PROBED, sk))
		return;
	store__find_socket(TW_PROBED, sk, &stored);
	bucket__on_alloc(TW_PROBED, &stored, sk, dr, (int)args.third, tw);
}

static __always_inline void kprobe__on_unique_return(int ret)
{
	struct pair_args args;

	if (pair__leave(PAIR_TWSK_UNIQUE, &args))
		bucket__on_unique(TW_PROBED, (struct sock_common *)args.first, ret);
}

static __always_inline void kprobe__on_state_process_return(int ret)
{
	struct pair_args args;

	if (pair__leave(PAIR_STATE_PROCESS, &args))
		bucket__on_segment(TW_PROBED, (struct sock_common *)args.first, ret);
}

static __always_inline void kprobe__on_get_port_return(int ret)
{
	struct pair_args args;

	if (pair__leave(PAIR_GET_PORT, &args))
		harm__on_get_port(TW_PROBED, (struct sock *)args.first, (u16)args.second, ret);
}

#endif /* TWTRACE_KPROBE_BPF_H */
