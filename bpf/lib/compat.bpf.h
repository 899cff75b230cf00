/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How kernels differ. Each entry names the version and the commit that made it necessary. No other file knows. */
#ifndef TWTRACE_COMPAT_BPF_H
#define TWTRACE_COMPAT_BPF_H

#include "config.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <twtrace/abi.h>

/*
 * How a program follows kernel pointers. Programs that get BTF-typed pointers (fentry, fexit, tp_btf, iter) load
 * directly, which works under lockdown=confidentiality too. Kprobes must call bpf_probe_read_kernel, which that
 * lockdown forbids. Pass a compile-time constant, so that the other branch and its relocations disappear.
 */
enum tw_access {
	TW_DIRECT,
	TW_PROBED,
};

#define tw_get(access, ptr, field) ((access) == TW_PROBED ? BPF_CORE_READ((ptr), field) : (ptr)->field)

/*
 * Turns a BTF-typed pointer into a number, for a global function. The verifier forgets the type only when the pointer
 * is read from memory. Needs bpf_probe_read_kernel.
 */
static __always_inline u64 tw_untyped(const void *pointer)
{
	const void *volatile copy = pointer;
	u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), (void *)&copy);
	return address;
}

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* 5.18 (fbb8295248e1) made tcp_death_row a pointer; 6.1 (e9bd0cca09d1) embedded it again. */
struct netns_ipv4___pointer {
	struct inet_timewait_death_row *tcp_death_row;
};

struct net___pointer {
	struct netns_ipv4___pointer ipv4;
};

/* 5.18 (fbb8295248e1) replaced tw_count, the number of buckets, by tw_refcount, which is one higher. */
struct inet_timewait_death_row___count {
	atomic_t tw_count;
};

struct inet_timewait_death_row___refcount {
	refcount_t tw_refcount;
};

/* 5.12 (3d368ab87cf6) made net_cookie a plain u64. Before, it was an atomic64_t, and 0 until somebody asked for it. */
struct net___cookie_u64 {
	u64 net_cookie;
};

struct net___cookie_atomic {
	atomic64_t net_cookie;
};

/*
 * The reference count of a namespace: 5.11 (137ec390fad4) moved net.count to ns.count, 6.18 (024596a4e280) renamed that
 * to ns.__ns_ref.
 */
struct net___count {
	refcount_t count;
};

struct ns_common___count {
	refcount_t count;
};

struct net___ns_count {
	struct ns_common___count ns;
};

struct ns_common___ref {
	refcount_t __ns_ref;
};

struct net___ns_ref {
	struct ns_common___ref ns;
};

/* 5.15 (8520e224f547) replaced a tagged word by a pointer. */
struct sock_cgroup_data___pointer {
	struct cgroup *cgroup;
};

struct sock___cgroup_pointer {
	struct sock_cgroup_data___pointer sk_cgrp_data;
};

struct sock_cgroup_data___word {
	u64 val;
};

struct sock___cgroup_word {
	struct sock_cgroup_data___word sk_cgrp_data;
};

/* 6.15 (633488947ef6) renamed parent to __parent. */
struct kernfs_node___parent {
	struct kernfs_node *parent;
};

struct kernfs_node___rcu_parent {
	struct kernfs_node *__parent;
};

/* A pair up to 6.7; one word since 6.8 (d9f28735af87): the last port in the upper half. */
struct local_ports___pair {
	int range[2];
};

struct netns_ipv4___pair {
	struct local_ports___pair ip_local_ports;
};

/* 6.3 (91d0b78c5177) gave sockets a range of their own: a pair up to 6.7, one word since 6.8 (d9f28735af87). */
struct own_ports___pair {
	u16 lo;
	u16 hi;
};

struct inet_sock___range_pair {
	struct own_ports___pair local_port_range;
};

struct inet_sock___range_word {
	u32 local_port_range;
};

struct netns_core___settings {
	int sysctl_somaxconn;
};

struct netns_ipv4___settings {
	int sysctl_tcp_fin_timeout;
	int sysctl_max_syn_backlog;
	u8 sysctl_tcp_tw_reuse;
	u8 sysctl_tcp_timestamps;
};

struct net___settings {
	struct netns_core___settings core;
	struct netns_ipv4___settings ipv4;
};

struct net___pair {
	struct netns_ipv4___pair ipv4;
};

#pragma clang attribute pop

/*
 * A field of the running thread, and a field of what it points to. 5.11 (3ca1032ab7ab) added the helper that returns a
 * BTF-typed pointer to the thread; before, everything behind it must be probed.
 */
#define compat__current(field)                                                                                         \
	(tw_has_task_btf ? bpf_get_current_task_btf()->field                                                           \
			 : BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), field))
#define compat__task_get(ptr, field) (tw_has_task_btf ? (ptr)->field : BPF_CORE_READ((ptr), field))

static __always_inline void compat__read_comm(struct task_struct *task, char comm[TW_COMM_LEN])
{
	int i;

	if (tw_has_task_btf) {
		for (i = 0; i < TW_COMM_LEN; i++)
			comm[i] = task->comm[i];
	} else {
		bpf_core_read(comm, TW_COMM_LEN, &task->comm);
	}
}

/*
 * Generates the socket's cookie where a tracing program can do that, since 5.12 (c5dbb89fc2ac). Elsewhere the cookie
 * is 0 until somebody asks for it.
 */
static __always_inline u64 compat__socket_cookie(enum tw_access access, struct sock *sk)
{
	if (access == TW_DIRECT && tw_has_socket_cookie)
		return bpf_get_socket_cookie(sk);
	return (u64)tw_get(access, sk, __sk_common.skc_cookie.counter);
}

/* A kernel without CONFIG_IPV6 has no skc_v6_daddr (every version). */
static __always_inline bool compat__has_ipv6(void)
{
	return bpf_core_field_exists(((struct sock_common *)0)->skc_v6_daddr);
}

static __always_inline struct inet_timewait_death_row *compat__death_row(enum tw_access access, struct net *net)
{
	if (bpf_core_field_exists(((struct net___pointer *)0)->ipv4.tcp_death_row) &&
	    bpf_core_field_size(((struct net___pointer *)0)->ipv4.tcp_death_row) == sizeof(void *))
		return tw_get(access, (struct net___pointer *)net, ipv4.tcp_death_row);
	return &net->ipv4.tcp_death_row;
}

/* The number of buckets in use, which inet_twsk_alloc compares with sysctl_max_tw_buckets. */
static __always_inline u32 compat__death_row_count(enum tw_access access, struct inet_timewait_death_row *dr)
{
	if (bpf_core_field_exists(((struct inet_timewait_death_row___refcount *)0)->tw_refcount))
		return (u32)tw_get(access, (struct inet_timewait_death_row___refcount *)dr, tw_refcount.refs.counter) -
		       1;
	return (u32)tw_get(access, (struct inet_timewait_death_row___count *)dr, tw_count.counter);
}

/* Whether every namespace has a cookie from its birth. */
static __always_inline bool compat__has_net_cookie(void)
{
	return !bpf_core_field_exists(((struct net___cookie_atomic *)0)->net_cookie.counter) &&
	       bpf_core_field_exists(((struct net___cookie_u64 *)0)->net_cookie);
}

static __always_inline u64 compat__net_cookie(enum tw_access access, struct net *net)
{
	return compat__has_net_cookie() ? tw_get(access, (struct net___cookie_u64 *)net, net_cookie) : 0;
}

/*
 * A namespace without references is being taken down, and inet_twsk_purge ends its buckets. Up to 6.1 the compiler
 * inlines inet_twsk_deschedule_put there, so that no probe on it fires.
 */
static __always_inline bool compat__net_is_exiting(enum tw_access access, struct net *net)
{
	if (bpf_core_field_exists(((struct net___ns_ref *)0)->ns.__ns_ref))
		return !tw_get(access, (struct net___ns_ref *)net, ns.__ns_ref.refs.counter);
	if (bpf_core_field_exists(((struct net___ns_count *)0)->ns.count))
		return !tw_get(access, (struct net___ns_count *)net, ns.count.refs.counter);
	return !tw_get(access, (struct net___count *)net, count.refs.counter);
}

/* The cgroup v2 of whoever created the socket, or the listener that accepted it. NULL: none. */
static __always_inline struct cgroup *compat__sock_cgroup(enum tw_access access, struct sock *sk)
{
	if (bpf_core_field_exists(((struct sock___cgroup_pointer *)0)->sk_cgrp_data.cgroup))
		return tw_get(access, (struct sock___cgroup_pointer *)sk, sk_cgrp_data.cgroup);
	if (bpf_core_field_exists(((struct sock___cgroup_word *)0)->sk_cgrp_data.val)) {
		u64 word = tw_get(access, (struct sock___cgroup_word *)sk, sk_cgrp_data.val);

		/* Bit 0: net_cls or net_prio data, no pointer. Bit 1: no reference was taken. */
		return word & 1 ? NULL : (struct cgroup *)(word & ~3ULL);
	}
	return NULL;
}

/* Whether direct loads may follow that pointer. One that came out of the tagged word has no BTF type. */
static __always_inline bool compat__sock_cgroup_is_typed(void)
{
	return bpf_core_field_exists(((struct sock___cgroup_pointer *)0)->sk_cgrp_data.cgroup);
}

/* In assembly, because the verifier wants a constant offset in each load. */
#define compat__load_argument(value, ctx, index)                                                                       \
	asm volatile("%0 = *(u64 *)(%1 + %2)" : "=r"(value) : "r"(ctx), "i"(8 * (index)))

/*
 * The return value of tcp_timewait_state_process, which follows the arguments in the context of fexit. 6.10
 * (41eecbd712b7) added a fourth argument, tw_isn, and 6.16 (04271411121a) a fifth, drop_reason.
 */
static __always_inline int compat__state_process_result(u64 *ctx)
{
	u64 result;

	if (tw_state_process_args == 5)
		compat__load_argument(result, ctx, 5);
	else if (tw_state_process_args == 4)
		compat__load_argument(result, ctx, 4);
	else
		compat__load_argument(result, ctx, 3);
	return (int)result;
}

/* The walk of a path goes by plain addresses. Needs bpf_probe_read_kernel. */
static __always_inline struct kernfs_node *compat__kernfs_parent(struct kernfs_node *node)
{
	if (bpf_core_field_exists(((struct kernfs_node___rcu_parent *)0)->__parent))
		return BPF_CORE_READ((struct kernfs_node___rcu_parent *)node, __parent);
	return BPF_CORE_READ((struct kernfs_node___parent *)node, parent);
}

/*
 * The cgroup of a process in the named v1 hierarchy tw_cgroup_root; NULL: none. The css_set has a list with one link
 * per hierarchy (link_css_set, all versions). Needs bpf_probe_read_kernel.
 */
static __always_inline struct kernfs_node *compat__named_cgroup(struct task_struct *task)
{
	struct list_head *link = BPF_CORE_READ(task, cgroups, cgrp_links.next);
	char name[sizeof(tw_cgroup_root)];
	int i, c;

	for (i = 0; i < 20; i++) {
		struct cgroup *cgrp;

		cgrp = BPF_CORE_READ(
		    (struct cgrp_cset_link *)((void *)link - bpf_core_field_offset(struct cgrp_cset_link, cgrp_link)),
		    cgrp);
		if (!cgrp)
			break;
		BPF_CORE_READ_INTO(&name, cgrp, root, name);
		for (c = 0; c < (int)sizeof(name); c++) {
			if (name[c] != tw_cgroup_root[c])
				break;
			if (!name[c])
				return BPF_CORE_READ(cgrp, kn);
		}
		link = BPF_CORE_READ(link, next);
	}
	return NULL;
}

/* --- the reader programs ------------------------------------------------------------------------------------------ */

/*
 * A setting of a namespace: an int, or a smaller integer. Many, like sysctl_tcp_tw_reuse, are a u8 since 5.13
 * (4ecc1baf362c). TW_SETTING_UNKNOWN where the kernel has none.
 */
#define compat__setting(net, field)                                                                                    \
	({                                                                                                             \
		u64 value__ = TW_SETTING_UNKNOWN;                                                                      \
		if (bpf_core_field_exists(((struct net___settings *)0)->field)) {                                      \
			value__ = 0;                                                                                   \
			bpf_probe_read_kernel(&value__, bpf_core_field_size(((struct net___settings *)0)->field),      \
					      (void *)(net) + bpf_core_field_offset(struct net___settings, field));    \
		}                                                                                                      \
		(u32) value__;                                                                                         \
	})

/* ip_local_port_range. */
static __always_inline void compat__local_ports(struct net *net, u16 *first, u16 *last)
{
	u32 word;

	if (bpf_core_field_exists(net->ipv4.ip_local_ports.range)) {
		word = BPF_CORE_READ(net, ipv4.ip_local_ports.range);
		*first = (u16)word;
		*last = (u16)(word >> 16);
		return;
	}
	*first = (u16)BPF_CORE_READ((struct net___pair *)net, ipv4.ip_local_ports.range[0]);
	*last = (u16)BPF_CORE_READ((struct net___pair *)net, ipv4.ip_local_ports.range[1]);
}

/* IP_LOCAL_PORT_RANGE of a socket: the first port, and the last in the upper half. Either is 0 if it is not set. */
static __always_inline u32 compat__own_ports(struct inet_sock *inet)
{
	u32 last;

	if (bpf_core_field_exists(((struct inet_sock___range_word *)0)->local_port_range))
		return BPF_CORE_READ((struct inet_sock___range_word *)inet, local_port_range);
	if (!bpf_core_field_exists(((struct inet_sock___range_pair *)0)->local_port_range))
		return 0;
	last = BPF_CORE_READ((struct inet_sock___range_pair *)inet, local_port_range.hi);
	return last << 16 | BPF_CORE_READ((struct inet_sock___range_pair *)inet, local_port_range.lo);
}

/* Since 6.1 (d1e5e6408b30) a namespace may have a table of its own. */
static __always_inline bool compat__is_own_table(struct inet_hashinfo *hashinfo)
{
	return bpf_core_field_exists(hashinfo->pernet) && BPF_CORE_READ(hashinfo, pernet);
}

/* LISTENING_NULLS_BASE, a macro: what the value at the end of the listeners' first chain is. Since 5.5 (8dbd76e79a16).
 */
#define COMPAT_LISTENING_NULLS (1U << 29)

/*
 * Address of the table of listening sockets, and how many chains it has. Up to 5.18 each of them is in listening_hash,
 * by its port, and in lhash2 by another node; since 5.19 (cae3873c5b3a) only in lhash2.
 */
static __always_inline u64 compat__listeners(struct inet_hashinfo *hashinfo, u32 *chains)
{
	if (bpf_core_field_exists(hashinfo->listening_hash)) {
		*chains =
		    bpf_core_field_size(hashinfo->listening_hash) / bpf_core_type_size(struct inet_listen_hashbucket);
		return (u64)hashinfo + bpf_core_field_offset(struct inet_hashinfo, listening_hash);
	}
	*chains = BPF_CORE_READ(hashinfo, lhash2_mask) + 1;
	return (u64)BPF_CORE_READ(hashinfo, lhash2);
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

/*
 * The place of that CPU's part of some per-CPU variable, the same for all CPUs: the root task group points to a member
 * of each possible CPU's run queue. 0 without CONFIG_FAIR_GROUP_SCHED. Only where bpf_map_lookup_percpu_elem does not
 * exist: later kernels keep these pointers in another way.
 */
static __always_inline u64 compat__percpu_variable(u32 cpu)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_group *group, *parent;
	u64 address = 0;
	int i;

	if (!bpf_core_field_exists(task->sched_task_group) || !bpf_core_field_exists(((struct task_group *)0)->cfs_rq))
		return 0;
	group = BPF_CORE_READ(task, sched_task_group);
	for (i = 0; i < 64; i++) { /* other groups have memory of their own */
		parent = BPF_CORE_READ(group, parent);
		if (!parent)
			break;
		group = parent;
	}
	bpf_probe_read_kernel(&address, sizeof(address), (void *)(BPF_CORE_READ(group, cfs_rq) + cpu));
	return address;
}

#endif /* TWTRACE_COMPAT_BPF_H */
