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
#define EHASH_MAX_STEPS 64

/* The same connection: hash first, which nearly always decides. */
static __always_inline bool ehash__is_bucket_of(struct sock_common *entry, struct sock_common *skc, u16 local_port)
{
	u32 words[4], own[4];

	if (BPF_CORE_READ(entry, skc_hash) != skc->skc_hash || BPF_CORE_READ(entry, skc_state) != TCP_TIME_WAIT ||
	    BPF_CORE_READ(entry, skc_dport) != skc->skc_dport || BPF_CORE_READ(entry, skc_num) != local_port ||
	    BPF_CORE_READ(entry, skc_net.net) != skc->skc_net.net)
		return false;
	if (skc->skc_family != AF_INET6 || !bpf_core_field_exists(skc->skc_v6_daddr))
		return BPF_CORE_READ(entry, skc_daddr) == skc->skc_daddr &&
		       BPF_CORE_READ(entry, skc_rcv_saddr) == skc->skc_rcv_saddr;
	BPF_CORE_READ_INTO(&words, entry, skc_v6_daddr.in6_u.u6_addr32);
	BPF_CORE_READ_INTO(&own, skc, skc_v6_daddr.in6_u.u6_addr32);
	if (words[0] != own[0] || words[1] != own[1] || words[2] != own[2] || words[3] != own[3])
		return false;
	BPF_CORE_READ_INTO(&words, entry, skc_v6_rcv_saddr.in6_u.u6_addr32);
	BPF_CORE_READ_INTO(&own, skc, skc_v6_rcv_saddr.in6_u.u6_addr32);
	return words[0] == own[0] && words[1] == own[1] && words[2] == own[2] && words[3] == own[3];
}

/* The bucket that replaced this socket (a plain address to the verifier), or NULL. */
static __always_inline struct inet_timewait_sock *ehash__find_bucket(struct inet_timewait_death_row *dr,
								     struct sock_common *skc, u16 local_port)
{
	struct inet_hashinfo *hashinfo = dr->hashinfo;
	u64 slot = skc->skc_hash & hashinfo->ehash_mask;
	u64 table = (u64)BPF_CORE_READ(hashinfo, ehash);
	struct hlist_nulls_node *node;
	int i;

	node = BPF_CORE_READ((struct inet_ehash_bucket *)(table + slot * bpf_core_type_size(struct inet_ehash_bucket)),
			     chain.first);
	for (i = 0; i < EHASH_MAX_STEPS; i++) {
		struct sock_common *entry;

		if ((u64)node & 1) /* nulls marker: end of the chain */
			return NULL;
		entry = (void *)node - bpf_core_field_offset(struct sock_common, skc_nulls_node);
		if (ehash__is_bucket_of(entry, skc, local_port))
			return (struct inet_timewait_sock *)entry;
		node = BPF_CORE_READ(node, next);
	}
	return NULL;
}

/*
 * What to add to a __percpu pointer to get this CPU's copy. this_cpu_off and __per_cpu_offset cannot be had where
 * kallsyms has no data symbols, but a per-CPU map holds both addresses of the same thing.
 */
static __always_inline u64 percpu__offset(void)
{
	u32 zero = 0;
	void *volatile here = bpf_map_lookup_elem(&overflow_seen, &zero);
	void *volatile map = &overflow_seen;
	u64 here_address = 0, map_address = 0, base = 0;

	/* Through memory, so that the verifier sees numbers and not pointers. */
	bpf_probe_read_kernel(&here_address, sizeof(here_address), (void *)&here);
	bpf_probe_read_kernel(&map_address, sizeof(map_address), (void *)&map);
	bpf_probe_read_kernel(&base, sizeof(base),
			      (void *)(map_address + bpf_core_field_offset(struct bpf_array, pptrs)));
	return here_address - base;
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
