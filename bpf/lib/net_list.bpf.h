/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The kernel's list of network namespaces (net.list). A node is the address of a list_head. */
#ifndef TWTRACE_NET_LIST_BPF_H
#define TWTRACE_NET_LIST_BPF_H

#include "compat.bpf.h"

static __always_inline struct net *net_list__net_of(u64 node)
{
	return (struct net *)(node - bpf_core_field_offset(struct net, list));
}

/*
 * Whether the node is in the list and belongs to that namespace, as it did in an earlier run. list_del_rcu poisons
 * `prev` before a namespace is freed, and nobody else has its identity.
 */
static __always_inline bool net_list__has(u64 node, u64 id)
{
	struct list_head *entry = (void *)node;

	return compat__net_id(net_list__net_of(node)) == id && (u64)BPF_CORE_READ(entry, prev, next) == node;
}

#endif /* TWTRACE_NET_LIST_BPF_H */
