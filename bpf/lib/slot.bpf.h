/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The array of slots, for store.bpf.h. The low bits of a cookie are the number of its slot. The kernel hands out
 * cookies in order, so that those in use hardly ever share their low bits, and neighbours share a cache line. A
 * connection costs one cache line, and neither a hash nor an allocation.
 */
#ifndef TWTRACE_SLOT_BPF_H
#define TWTRACE_SLOT_BPF_H

#include "maps.bpf.h"

/* The loader resizes it to the largest limit. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 65536);
	__type(key, u32);
	__type(value, struct tw_slot);
} slots SEC(".maps");

static __always_inline struct tw_slot *slot__at(u64 cookie)
{
	u32 index = (u32)cookie & tw_slot_mask;

	return cookie ? bpf_map_lookup_elem(&slots, &index) : NULL;
}

static __always_inline u32 slot__tag(u64 cookie)
{
	return (u32)(cookie >> TW_SLOT_TAG_SHIFT);
}

/* The slot that the connection holds; NULL: none. */
static __always_inline struct tw_slot *slot__find(u64 cookie)
{
	struct tw_slot *slot = slot__at(cookie);

	return slot && slot->state >= TW_SLOT_PUBLISHED && slot->tag == slot__tag(cookie) ? slot : NULL;
}

/*
 * Takes the slot of this cookie, for the caller to fill and publish. NULL: somebody else has it, or is about to take
 * it. 5.10 has no atomic addition that returns the old value (5.12, 5ca419f2864a), and none is needed: of those who add
 * 1 to a free slot at the same time, at most one reads 1 afterwards.
 */
static __always_inline struct tw_slot *slot__claim(u64 cookie)
{
	struct tw_slot *slot = slot__at(cookie);

	if (!slot || slot->state)
		return NULL;
	__sync_fetch_and_add(&slot->state, 1);
	if (*(volatile u32 *)&slot->state != 1) {
		__sync_fetch_and_add(&slot->state, -1);
		return NULL;
	}
	slot->tag = slot__tag(cookie);
	return slot;
}

static __always_inline void slot__publish(struct tw_slot *slot)
{
	barrier();
	__sync_fetch_and_add(&slot->state, TW_SLOT_PUBLISHED);
}

static __always_inline void slot__release(struct tw_slot *slot)
{
	__sync_fetch_and_add(&slot->state, -TW_SLOT_TAKEN);
}

/* Whether the connection is still a socket. Else it is a bucket. */
static __always_inline bool slot__is_of_socket(const struct tw_slot *slot)
{
	return !slot->bucket.substate;
}

#endif /* TWTRACE_SLOT_BPF_H */
