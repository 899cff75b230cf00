/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the reader programs need to know of how kernels differ; the rest is in compat.bpf.h. */
#ifndef TWTRACE_COMPAT_READ_BPF_H
#define TWTRACE_COMPAT_READ_BPF_H

#include "compat.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* A pair up to 6.7; one word since 6.8 (d9f28735af87): the last port in the upper half. */
struct local_ports___pair {
	int range[2];
};

struct local_ports___word {
	u32 range;
};

struct netns_ipv4___pair {
	struct local_ports___pair ip_local_ports;
};

struct netns_ipv4___word {
	struct local_ports___word ip_local_ports;
};

struct net___ports_pair {
	struct netns_ipv4___pair ipv4;
};

struct net___ports_word {
	struct netns_ipv4___word ipv4;
};

/* Since 6.1 (d1e5e6408b30) a namespace may have a table of its own. */
struct inet_hashinfo___pernet {
	bool pernet;
};

/*
 * Until 6.18 the root task group's cfs_rq is an array of pointers to a member of each possible CPU's run queue, which
 * is a per-CPU variable. Only read where bpf_map_lookup_percpu_elem does not exist.
 */
struct task_group {
	void **cfs_rq;
	struct task_group *parent;
};

struct task_struct___group {
	struct task_group *sched_task_group;
};

#pragma clang attribute pop

/* ip_local_port_range. */
static __always_inline void compat__local_ports(struct net *net, u16 *first, u16 *last)
{
	u32 word;

	if (bpf_core_field_exists(((struct net___ports_word *)0)->ipv4.ip_local_ports.range)) {
		word = BPF_CORE_READ((struct net___ports_word *)net, ipv4.ip_local_ports.range);
		*first = (u16)word;
		*last = (u16)(word >> 16);
		return;
	}
	*first = (u16)BPF_CORE_READ((struct net___ports_pair *)net, ipv4.ip_local_ports.range[0]);
	*last = (u16)BPF_CORE_READ((struct net___ports_pair *)net, ipv4.ip_local_ports.range[1]);
}

/* Whether the table belongs to one namespace. */
static __always_inline bool compat__is_own_table(struct inet_hashinfo *hashinfo)
{
	return bpf_core_field_exists(((struct inet_hashinfo___pernet *)0)->pernet) &&
	       BPF_CORE_READ((struct inet_hashinfo___pernet *)hashinfo, pernet);
}

/*
 * What no other namespace has, before or after: the cookie. Where there is none, hash_mix (random, for the life of the
 * namespace) tells a namespace from the one that had its inode number before.
 */
static __always_inline u64 compat__net_id(struct net *net)
{
	if (compat__has_net_cookie())
		return compat__net_cookie(TW_PROBED, net);
	return (u64)BPF_CORE_READ(net, hash_mix) << 32 | BPF_CORE_READ(net, ns.inum);
}

/* bpf_map_lookup_percpu_elem, 5.19 (07343110b293). */
static __always_inline bool compat__has_percpu_lookup(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_map_lookup_percpu_elem);
}

/* The place of that CPU's part of some per-CPU variable, the same for all CPUs; 0 without CONFIG_FAIR_GROUP_SCHED. */
static __always_inline u64 compat__percpu_variable(u32 cpu)
{
	struct task_group *group, *parent;
	u64 address = 0;
	int i;

	if (!bpf_core_field_exists(((struct task_group *)0)->cfs_rq))
		return 0;
	group = BPF_CORE_READ((struct task_struct___group *)bpf_get_current_task(), sched_task_group);
	for (i = 0; i < 64; i++) { /* other groups have memory of their own */
		parent = BPF_CORE_READ(group, parent);
		if (!parent)
			break;
		group = parent;
	}
	bpf_probe_read_kernel(&address, sizeof(address), (void *)(BPF_CORE_READ(group, cfs_rq) + cpu));
	return address;
}

#endif /* TWTRACE_COMPAT_READ_BPF_H */
