/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Connections by their cookie, from our FIN to the end of the bucket. Cookies are handed out in order, so the low bits
 * of those in use hardly ever meet, and neighbours share cache lines: no hash, no allocation, one line per connection.
 * A connection without a cookie, or whose slot another one holds, is kept in the maps `sockets` and `buckets` instead.
 */
#ifndef TWTRACE_SLOT_BPF_H
#define TWTRACE_SLOT_BPF_H

#include "maps.bpf.h"

/* Resized by the loader to the largest limit. */
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

/* The slot that this connection holds; NULL when it holds none. */
static __always_inline struct tw_slot *slot__find(u64 cookie)
{
	struct tw_slot *slot = slot__at(cookie);

	return slot && slot->state >= TW_SLOT_PUBLISHED && slot->tag == slot__tag(cookie) ? slot : NULL;
}

/*
 * Takes the slot of this cookie; NULL when somebody else has it or is about to. To be filled, then published. An
 * addition that returns nothing is all that 5.10 has (the others need 5.12), and enough: of those that add to a free
 * slot at the same time at most one can read 1.
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

/* Whether the connection is a socket that has not come to its end; else it is a bucket. */
static __always_inline bool slot__is_of_socket(const struct tw_slot *slot)
{
	return !slot->bucket.substate;
}

#endif /* TWTRACE_SLOT_BPF_H */
