/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds buckets in the established hash, and refusals in the kernel's own counter. The tracepoint backend needs both:
 * sock:inet_sock_set_state shows the same FIN_WAIT2 -> CLOSE for a bucket that was created, for one that was refused,
 * and for a connection that was aborted. But before tcp_time_wait calls tcp_done, it has put a created bucket into the
 * hash, and counted a refusal. Needs bpf_probe_read_kernel.
 */
#ifndef TWTRACE_EHASH_BPF_H
#define TWTRACE_EHASH_BPF_H

#include "bucket.bpf.h"
#include "chain.bpf.h"
#include "net_list.bpf.h"

/* The kernel adds a bucket at the head of its chain (inet_twsk_add_node_rcu), so a new one is found early. */
#define EHASH_MAX_STEPS 32

/* Describes the bucket that replaces the socket. */
static __always_inline void ehash__describe(struct sock *sk, const struct inet_hashinfo *hashinfo, u16 local_port,
					    struct ehash_wanted *wanted)
{
	wanted->chains = (u64)hashinfo->ehash;
	wanted->mask = hashinfo->ehash_mask;
	wanted->net = (u64)sk->__sk_common.skc_net.net;
	wanted->hash = sk->__sk_common.skc_hash;
	wanted->local_port = local_port; /* inet_put_port has cleared skc_num */
	wanted->remote_port = sk->__sk_common.skc_dport;
	wanted->device = (u32)sk->__sk_common.skc_bound_dev_if;
	wanted->family = sk->__sk_common.skc_family;
	if (wanted->family == AF_INET6 && compat__has_ipv6()) {
		wanted->local[0] = sk->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[0];
		wanted->local[1] = sk->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[1];
		wanted->local[2] = sk->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[2];
		wanted->local[3] = sk->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[3];
		wanted->remote[0] = sk->__sk_common.skc_v6_daddr.in6_u.u6_addr32[0];
		wanted->remote[1] = sk->__sk_common.skc_v6_daddr.in6_u.u6_addr32[1];
		wanted->remote[2] = sk->__sk_common.skc_v6_daddr.in6_u.u6_addr32[2];
		wanted->remote[3] = sk->__sk_common.skc_v6_daddr.in6_u.u6_addr32[3];
	} else {
		wanted->local[0] = sk->__sk_common.skc_rcv_saddr;
		wanted->remote[0] = sk->__sk_common.skc_daddr;
	}
}

/* Has no branch per field, because the verifier would follow each of them both ways. */
static __always_inline bool ehash__is_wanted(const struct sock_common *entry, const struct ehash_wanted *wanted)
{
	u64 differs = (u64)entry->skc_net.net ^ wanted->net;

	differs |= entry->skc_hash ^ wanted->hash;
	differs |= entry->skc_num ^ wanted->local_port;
	differs |= entry->skc_dport ^ wanted->remote_port;
	differs |= entry->skc_state ^ TCP_TIME_WAIT;
	differs |= (u32)entry->skc_bound_dev_if ^ wanted->device;
	if (differs)
		return false;
	if (wanted->family == AF_INET6 && compat__has_ipv6()) {
		differs |= entry->skc_v6_rcv_saddr.in6_u.u6_addr32[0] ^ wanted->local[0];
		differs |= entry->skc_v6_rcv_saddr.in6_u.u6_addr32[1] ^ wanted->local[1];
		differs |= entry->skc_v6_rcv_saddr.in6_u.u6_addr32[2] ^ wanted->local[2];
		differs |= entry->skc_v6_rcv_saddr.in6_u.u6_addr32[3] ^ wanted->local[3];
		differs |= entry->skc_v6_daddr.in6_u.u6_addr32[0] ^ wanted->remote[0];
		differs |= entry->skc_v6_daddr.in6_u.u6_addr32[1] ^ wanted->remote[1];
		differs |= entry->skc_v6_daddr.in6_u.u6_addr32[2] ^ wanted->remote[2];
		differs |= entry->skc_v6_daddr.in6_u.u6_addr32[3] ^ wanted->remote[3];
	} else {
		differs |= entry->skc_rcv_saddr ^ wanted->local[0];
		differs |= entry->skc_daddr ^ wanted->remote[0];
	}
	return !differs;
}

/* The address of the bucket that was described; 0: not there. A global function: see cgroup__intern. */
__noinline u64 ehash__find_wanted(u32 which)
{
	const struct ehash_wanted *wanted = bpf_map_lookup_elem(&ehash_wanted, &which);
	const struct sock_common *common;
	union chain_entry entry;
	u64 node, address;
	int i;

	if (!wanted)
		return 0;
	node = chain__first_node(wanted->chains, wanted->hash & wanted->mask);
	for (i = 0; i < EHASH_MAX_STEPS; i++) {
		address = chain__read_entry(node, &entry);
		if (!address)
			return 0;
		common = chain__common(&entry);
		if (ehash__is_wanted(common, wanted))
			return address;
		node = (u64)common->skc_nulls_node.next;
	}
	return 0;
}

/* The address of the bucket that replaced the socket; 0: none. `which` of the two programs asks? */
static __always_inline u64 ehash__find_bucket(u32 which, struct sock *sk, const struct inet_hashinfo *hashinfo,
					      u16 local_port)
{
	struct ehash_wanted *wanted = bpf_map_lookup_elem(&ehash_wanted, &which);

	if (!wanted)
		return 0;
	ehash__describe(sk, hashinfo, local_port, wanted);
	return ehash__find_wanted(which);
}

/*
 * What to add to a __percpu pointer to get this CPU's copy. Kernels whose kallsyms has no data symbols hide
 * this_cpu_off and __per_cpu_offset. But a per-CPU map knows both addresses of the same thing.
 */
static __always_inline u64 percpu__offset(void)
{
	u32 zero = 0;
	u64 here = tw_untyped(bpf_map_lookup_elem(&overflow_counters, &zero));
	u64 map = tw_untyped(&overflow_counters);
	u64 base = 0;

	bpf_probe_read_kernel(&base, sizeof(base), (void *)(map + bpf_core_field_offset(struct bpf_array, pptrs)));
	return here - base;
}

/* The address where this CPU counts TCPTimeWaitOverflow of this namespace. */
static __always_inline u64 overflow__address(struct net *net)
{
	return (u64)BPF_CORE_READ(net, mib.net_statistics) + percpu__offset() + tw_mib_overflow * sizeof(unsigned long);
}

enum overflow_verdict {
	OVERFLOW_UNKNOWN, /* first look at this namespace on this CPU, which has counted refusals in it */
	OVERFLOW_SAME,
	OVERFLOW_COUNTED,
};

/*
 * Whether the kernel has counted a refusal on this CPU since the last look. tcp_time_wait counts and calls tcp_done
 * right away, so the answer is yes at a refusal, and no at an abort.
 */
static __always_inline enum overflow_verdict overflow__look(struct net *net, u32 netns)
{
	struct overflow_counter *counter = bpf_map_lookup_elem(&overflow_counters, &netns);
	unsigned long now = 0;
	u64 before;

	if (!counter)
		return OVERFLOW_UNKNOWN;
	if (!counter->address || netns == TW_NETNS_OTHER) { /* that slot stands for many namespaces */
		counter->address = overflow__address(net);
		bpf_probe_read_kernel(&counter->seen, sizeof(counter->seen), (void *)counter->address);
		return counter->seen ? OVERFLOW_UNKNOWN : OVERFLOW_SAME;
	}
	bpf_probe_read_kernel(&now, sizeof(now), (void *)counter->address);
	before = counter->seen;
	if (now > before) /* a look that interrupted this one may have seen more */
		counter->seen = now;
	return now == before ? OVERFLOW_SAME : OVERFLOW_COUNTED;
}

/* The node of a namespace in the kernel's list, and its id. Written by user space. */
volatile __u64 tw_refused_node = 0;
volatile __u64 tw_refused_id = 0;

/*
 * Takes note of how many refusals this CPU has counted in that namespace. Otherwise the first look here could not tell
 * an abort from a refusal while the table is full.
 */
static __always_inline int overflow__begin(void)
{
	struct net *net = net_list__net_of(tw_refused_node);

	if (net_list__has(tw_refused_node, tw_refused_id))
		overflow__look(net, netns__intern(TW_PROBED, net));
	return 0;
}

#endif /* TWTRACE_EHASH_BPF_H */
