/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the tracepoint backend needs: sock:inet_sock_set_state shows the same FIN_WAIT2 -> CLOSE for a bucket created, a
 * bucket refused and an aborted connection. tcp_time_wait has put the bucket into the established hash before it calls
 * tcp_done, so a created bucket can be found there; and a refusal has just incremented the kernel's own counter.
 * Needs bpf_probe_read_kernel.
 */
#ifndef TWTRACE_EHASH_BPF_H
#define TWTRACE_EHASH_BPF_H

#include "bucket.bpf.h"

/* New buckets are added at the head of their chain (inet_twsk_add_node_rcu), so the search ends early. */
#define EHASH_MAX_STEPS 32

/* What a bucket has in common with the socket that it replaces. */
struct ehash_place {
	u32 hash;
	u16 local_port;  /* host order */
	u16 remote_port; /* network order */
	struct net *net;
	struct in6_addr local;
	struct in6_addr remote;
};

static __always_inline void ehash__read_place(struct sock_common *skc, u16 family, struct ehash_place *place)
{
	__builtin_memset(place, 0, sizeof(*place));
	place->hash = BPF_CORE_READ(skc, skc_hash);
	place->local_port = BPF_CORE_READ(skc, skc_num);
	place->remote_port = BPF_CORE_READ(skc, skc_dport);
	place->net = BPF_CORE_READ(skc, skc_net.net);
	if (family == AF_INET6 && bpf_core_field_exists(skc->skc_v6_daddr)) {
		BPF_CORE_READ_INTO(&place->local, skc, skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&place->remote, skc, skc_v6_daddr);
	} else {
		place->local.in6_u.u6_addr32[0] = BPF_CORE_READ(skc, skc_rcv_saddr);
		place->remote.in6_u.u6_addr32[0] = BPF_CORE_READ(skc, skc_daddr);
	}
}

static __always_inline bool ehash__same_place(const struct ehash_place *left, const struct ehash_place *right)
{
	const u64 *a = (const u64 *)left, *b = (const u64 *)right;
	u64 differs = 0;
	u32 i;

	/* Without a branch per word, each of which the verifier would follow both ways. */
	for (i = 0; i < sizeof(*left) / sizeof(*a); i++)
		differs |= a[i] ^ b[i];
	return !differs;
}

/*
 * Address of the bucket that replaced the socket at `address`, or 0. The hash nearly always decides. Not inlined, for
 * the reason that cgroup__intern gives.
 */
__noinline u64 ehash__find_bucket(u64 hashinfo_address, u64 address, u32 local_port)
{
	struct inet_hashinfo *hashinfo = (struct inet_hashinfo *)hashinfo_address;
	struct sock_common *skc = (struct sock_common *)address;
	u16 family = BPF_CORE_READ(skc, skc_family);
	struct ehash_place wanted, found;
	struct hlist_nulls_node *node;
	u64 slot, table;
	int i;

	ehash__read_place(skc, family, &wanted);
	wanted.local_port = (u16)local_port; /* inet_put_port has cleared skc_num */
	slot = wanted.hash & BPF_CORE_READ(hashinfo, ehash_mask);
	table = (u64)BPF_CORE_READ(hashinfo, ehash);
	node = BPF_CORE_READ((struct inet_ehash_bucket *)(table + slot * bpf_core_type_size(struct inet_ehash_bucket)),
			     chain.first);
	for (i = 0; i < EHASH_MAX_STEPS; i++) {
		struct sock_common *entry;

		if ((u64)node & 1) /* nulls marker: end of the chain */
			return 0;
		entry = (void *)node - bpf_core_field_offset(struct sock_common, skc_nulls_node);
		if (BPF_CORE_READ(entry, skc_hash) == wanted.hash && BPF_CORE_READ(entry, skc_state) == TCP_TIME_WAIT) {
			ehash__read_place(entry, family, &found);
			if (ehash__same_place(&found, &wanted))
				return (u64)entry;
		}
		node = BPF_CORE_READ(node, next);
	}
	return 0;
}

/*
 * What to add to a __percpu pointer to get this CPU's copy. this_cpu_off and __per_cpu_offset cannot be had where
 * kallsyms has no data symbols, but a per-CPU map holds both addresses of the same thing.
 */
static __always_inline u64 percpu__offset(void)
{
	u32 zero = 0;
	u64 here = tw_untyped(bpf_map_lookup_elem(&overflow_seen, &zero));
	u64 map = tw_untyped(&overflow_seen);
	u64 base = 0;

	bpf_probe_read_kernel(&base, sizeof(base), (void *)(map + bpf_core_field_offset(struct bpf_array, pptrs)));
	return here - base;
}

/* TCPTimeWaitOverflow of this namespace on this CPU. */
static __always_inline u64 overflow__counter(struct net *net)
{
	u64 mibs = (u64)BPF_CORE_READ(net, mib.net_statistics) + percpu__offset();
	unsigned long value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (void *)(mibs + tw_mib_overflow * sizeof(value)));
	return value;
}

enum overflow_verdict {
	OVERFLOW_UNKNOWN, /* first look at this namespace on this CPU */
	OVERFLOW_SAME,
	OVERFLOW_COUNTED,
};

/*
 * Has the kernel counted a refusal on this CPU since the last look? tcp_time_wait increments the counter and calls
 * tcp_done right away, so at a refusal the answer is yes, and at an abort it is no.
 */
static __always_inline enum overflow_verdict overflow__look(struct net *net, u32 netns)
{
	u64 *seen = bpf_map_lookup_elem(&overflow_seen, &netns);
	u64 now = overflow__counter(net) + 1; /* 0 stands for never looked */
	u64 before;

	if (!seen)
		return OVERFLOW_UNKNOWN;
	before = *seen;
	*seen = now;
	if (!before)
		return OVERFLOW_UNKNOWN;
	return now == before ? OVERFLOW_SAME : OVERFLOW_COUNTED;
}

#endif /* TWTRACE_EHASH_BPF_H */
