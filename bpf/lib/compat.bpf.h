/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The one place that knows how kernels differ. Each entry names the change that made it necessary. */
#ifndef TWTRACE_COMPAT_BPF_H
#define TWTRACE_COMPAT_BPF_H

#include "config.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/*
 * How a program may follow kernel pointers. Programs that are given BTF-typed pointers (fentry, fexit, tp_btf, iter)
 * load directly, which also works under lockdown=confidentiality; kprobes must go through bpf_probe_read_kernel. Always
 * a compile-time constant, so that the other branch and its relocations disappear.
 */
enum tw_access {
	TW_DIRECT,
	TW_PROBED,
};

#define tw_get(access, ptr, field) ((access) == TW_PROBED ? BPF_CORE_READ((ptr), field) : (ptr)->field)

/*
 * A BTF-typed pointer as a number, which is what a global function takes: only loading it from memory makes the
 * verifier forget its type. Needs bpf_probe_read_kernel.
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

/* Up to 5.17 the number of buckets is tw_count; since then tw_refcount - 1 (fbb8295248e1). */
struct inet_timewait_death_row___count {
	atomic_t tw_count;
};

struct inet_timewait_death_row___refcount {
	refcount_t tw_refcount;
};

/* A plain u64 since 5.12 (3d368ab87cf6); an atomic64_t before, which is 0 until somebody asks for it. */
struct net___cookie_u64 {
	u64 net_cookie;
};

struct net___cookie_atomic {
	atomic64_t net_cookie;
};

/* The references of a namespace: net.count up to 5.10, ns.count since 5.11 (137ec390fad4), ns.__ns_ref since 6.18. */
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

/* 5.15 (8520e224f547) replaced the tagged word by a pointer. */
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

/* What an iteration over sockets keeps; with st_bucket_done from 5.15 (04c7820b776f) until 6.17, or 6.12.y. */
struct seq_net_private {
	struct net *net;
};

struct tcp_iter_state {
	struct seq_net_private p;
	int bucket;
};

struct bpf_tcp_iter_state___batch {
	struct tcp_iter_state state;
	bool st_bucket_done;
};

#pragma clang attribute pop

/*
 * A field of the running thread, and one of what that leads to. The helper that gives a BTF-typed pointer to it came
 * with 5.11 (3ca1032ab7ab).
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
 * The socket's cookie. Since 5.12 (c5dbb89fc2ac) a tracing program can have it generated, which is done here where that
 * is possible; else it is 0 until somebody asks for it.
 */
static __always_inline u64 compat__socket_cookie(enum tw_access access, struct sock *sk)
{
	if (access == TW_DIRECT && tw_has_socket_cookie)
		return bpf_get_socket_cookie(sk);
	return (u64)tw_get(access, sk, __sk_common.skc_cookie.counter);
}

/* A kernel built without CONFIG_IPV6 has no IPv6 addresses in its sockets. */
static __always_inline bool compat__has_ipv6(void)
{
	return bpf_core_field_exists(((struct sock_common *)0)->skc_v6_daddr);
}

/* SOCK_*_LOCK of a socket: 4 bits, or a byte since 6.9 (5d4cc87414c5). */
static __always_inline u64 compat__userlocks(enum tw_access access, struct sock *sk)
{
	return access == TW_PROBED ? BPF_CORE_READ_BITFIELD_PROBED(sk, sk_userlocks)
				   : BPF_CORE_READ_BITFIELD(sk, sk_userlocks);
}

static __always_inline struct inet_timewait_death_row *compat__death_row(enum tw_access access, struct net *net)
{
	if (bpf_core_field_exists(((struct net___pointer *)0)->ipv4.tcp_death_row) &&
	    bpf_core_field_size(((struct net___pointer *)0)->ipv4.tcp_death_row) == sizeof(void *))
		return tw_get(access, (struct net___pointer *)net, ipv4.tcp_death_row);
	return &net->ipv4.tcp_death_row;
}

/* Buckets in use now; the limit test of inet_twsk_alloc compares this with sysctl_max_tw_buckets. */
static __always_inline u32 compat__death_row_count(enum tw_access access, struct inet_timewait_death_row *dr)
{
	if (bpf_core_field_exists(((struct inet_timewait_death_row___refcount *)0)->tw_refcount))
		return (u32)tw_get(access, (struct inet_timewait_death_row___refcount *)dr, tw_refcount.refs.counter) -
		       1;
	return (u32)tw_get(access, (struct inet_timewait_death_row___count *)dr, tw_count.counter);
}

/* Whether a namespace has a cookie that stays the same for its life. */
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
 * A namespace without references is being taken down, and inet_twsk_purge ends its buckets. Up to 6.1 compilers inline
 * inet_twsk_deschedule_put there, so that no probe on it fires.
 */
static __always_inline bool compat__net_is_exiting(enum tw_access access, struct net *net)
{
	if (bpf_core_field_exists(((struct net___ns_ref *)0)->ns.__ns_ref))
		return !tw_get(access, (struct net___ns_ref *)net, ns.__ns_ref.refs.counter);
	if (bpf_core_field_exists(((struct net___ns_count *)0)->ns.count))
		return !tw_get(access, (struct net___ns_count *)net, ns.count.refs.counter);
	return !tw_get(access, (struct net___count *)net, count.refs.counter);
}

/* The cgroup v2 of the socket's creator (the listener's creator for accepted sockets); NULL when it has none. */
static __always_inline struct cgroup *compat__sock_cgroup(enum tw_access access, struct sock *sk)
{
	if (bpf_core_field_exists(((struct sock___cgroup_pointer *)0)->sk_cgrp_data.cgroup))
		return tw_get(access, (struct sock___cgroup_pointer *)sk, sk_cgrp_data.cgroup);
	if (bpf_core_field_exists(((struct sock___cgroup_word *)0)->sk_cgrp_data.val)) {
		u64 word = tw_get(access, (struct sock___cgroup_word *)sk, sk_cgrp_data.val);

		/* Bit 0 marks net_cls/net_prio data instead of a pointer, bit 1 "no refcount". */
		return word & 1 ? NULL : (struct cgroup *)(word & ~3ULL);
	}
	return NULL;
}

/* Whether that pointer has a BTF type, so that direct loads may follow it; else it came out of the tagged word. */
static __always_inline bool compat__sock_cgroup_is_typed(void)
{
	return bpf_core_field_exists(((struct sock___cgroup_pointer *)0)->sk_cgrp_data.cgroup);
}

/*
 * Whether an iteration over sockets loses a chain of connections: since 5.15, where every batch resumes it where the
 * last one ended (bpf_iter_tcp_batch), until it resumes by cookies. When tcp_seek_last_pos finds no more listeners from
 * that chain on, what is left of its offset, -1, makes it pass over the connections in the chain of the same number, if
 * they are the first of the namespace. Where nobody listens that is chain 0.
 */
static __always_inline bool compat__loses_chain(void)
{
	return bpf_core_field_exists(((struct bpf_tcp_iter_state___batch *)0)->st_bucket_done);
}

/* Of an iteration that loses a chain: the chain that it is in, and the namespace. */
static __always_inline u32 compat__iterated_chain(struct seq_file *seq)
{
	return (u32)BPF_CORE_READ((struct bpf_tcp_iter_state___batch *)seq->private, state.bucket);
}

static __always_inline struct net *compat__iterated_net(struct seq_file *seq)
{
	return BPF_CORE_READ((struct bpf_tcp_iter_state___batch *)seq->private, state.p.net);
}

/* What is behind so many arguments. In assembly, because the verifier wants a constant offset at each load. */
#define compat__load_argument(value, ctx, index)                                                                       \
	asm volatile("%0 = *(u64 *)(%1 + %2)" : "=r"(value) : "r"(ctx), "i"(8 * (index)))

/*
 * What tcp_timewait_state_process returned, of fexit's context: it is behind the arguments, of which there are three,
 * four since 6.10 (tw_isn, 41eecbd712b7), five since 6.16 (drop_reason, 04271411121a).
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

/* Only with bpf_probe_read_kernel: paths are walked by plain addresses. */
static __always_inline struct kernfs_node *compat__kernfs_parent(struct kernfs_node *node)
{
	if (bpf_core_field_exists(((struct kernfs_node___rcu_parent *)0)->__parent))
		return BPF_CORE_READ((struct kernfs_node___rcu_parent *)node, __parent);
	return BPF_CORE_READ((struct kernfs_node___parent *)node, parent);
}

/*
 * The cgroup of a process where it is kept in the named v1 hierarchy tw_cgroup_root (tw_cgroup_v1): one link per
 * hierarchy hangs off the css_set (kernel/cgroup/cgroup.c, find_existing_css_set).
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

#endif /* TWTRACE_COMPAT_BPF_H */
