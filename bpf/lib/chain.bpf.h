/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One entry of a hash chain of sockets, read by its address. Needs bpf_probe_read_kernel. */
#ifndef TWTRACE_CHAIN_BPF_H
#define TWTRACE_CHAIN_BPF_H

#include "compat.bpf.h"

/* sizeof(struct sock_common) in every kernel with IPv6. Full sockets, requests and buckets begin with one. */
#define CHAIN_COMMON_BYTES 136

/* A copy of the head of a socket or bucket: it costs one call instead of one per field. */
union chain_entry {
	struct sock_common common;
	u64 words[CHAIN_COMMON_BYTES / sizeof(u64)];
};

/* Hides where the pointer comes from: else the compiler takes our own offsets instead of those of CO-RE. */
static __always_inline const struct sock_common *chain__common(union chain_entry *entry)
{
	struct sock_common *common = &entry->common;

	barrier_var(common);
	return common;
}

/* The first node of a chain of the table of established connections. */
static __always_inline u64 chain__first_node(u64 chains, u32 chain)
{
	u64 node = 0;

	bpf_probe_read_kernel(&node, sizeof(node),
			      (void *)(chains + (u64)chain * bpf_core_type_size(struct inet_ehash_bucket)));
	return node;
}

/* Copies the socket or bucket that the node is in, and returns its address. 0: the chain ends here, or cannot be read.
 */
static __always_inline u64 chain__read_entry(u64 node, union chain_entry *entry)
{
	u64 address = node - bpf_core_field_offset(struct sock_common, skc_nulls_node);

	if (node & 1) /* the nulls marker */
		return 0;
	return bpf_probe_read_kernel(entry, sizeof(*entry), (void *)address) ? 0 : address;
}

#endif /* TWTRACE_CHAIN_BPF_H */
