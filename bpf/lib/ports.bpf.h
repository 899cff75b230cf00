/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counts the rows of each owner in a role. An owner that has TW_MAX_PORTS rows gets one more, for all its other ports.
 * So a long-lived process that talks to more and more ports does not take the rows of everybody else.
 */
#ifndef TWTRACE_PORTS_BPF_H
#define TWTRACE_PORTS_BPF_H

#include "maps.bpf.h"

/* As large as rows: the loader resizes both. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TW_MAX_ROWS);
	__type(key, u32);
	__type(value, struct tw_owner_rows);
} owner_rows SEC(".maps");

/* A byte per port: 5.10 has no instruction that sets a bit for certain (5.12, 981f94c3e921). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TW_MAX_MANY);
	__type(key, u32);
	__type(value, struct tw_ports);
} many_ports SEC(".maps");

/* Places of many_ports that are free. User space fills and refills it. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, TW_MAX_MANY);
	__type(value, u32);
} free_many_ports SEC(".maps");

#define PORTS_PROBES 8

static __always_inline u64 ports__mix(u64 hash, u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

/* Of all that makes the owner: the key without its port. */
static __always_inline u64 ports__hash(const struct tw_row_key *key)
{
	u64 hash = ports__mix(key->start_ns, key->cgroup_id);

	hash = ports__mix(hash, (u64)key->tgid << 32 | key->exec_id);
	hash = ports__mix(hash, (u64)key->uid << 32 | key->netns);
	return ports__mix(hash, (u64)key->role << 24 | key->attribution << 16 | key->family << 8 | key->matched);
}

/*
 * The place of an owner in owner_rows; 0 if none is left. If two owners take a free place at the same time, they share
 * it. Their rows are then counted together, and user space gives back as many as were counted. This is a global
 * function for the reason given at cgroup__intern.
 */
__noinline int ports__place(u64 hash)
{
	u32 tag = (u32)(hash >> 32);
	struct tw_owner_rows *owner;
	u32 unused = 0;
	u32 place, i;

	for (i = 0; i < PORTS_PROBES; i++) {
		place = ((u32)hash + i) & tw_owner_mask;
		owner = bpf_map_lookup_elem(&owner_rows, &place);
		if (!owner || !place)
			continue;
		if (owner->count && owner->tag == tag)
			return (int)place;
		if (!owner->count && !unused)
			unused = place;
	}
	owner = bpf_map_lookup_elem(&owner_rows, &unused);
	if (owner && unused)
		owner->tag = tag;
	return (int)unused;
}

/* Whether the owner at that place has as many rows as it may have. Not inlined: so the verifier looks at it once. */
__noinline int ports__are_many(u32 place)
{
	struct tw_owner_rows *owner = bpf_map_lookup_elem(&owner_rows, &place);

	return place && owner && owner->count >= TW_MAX_PORTS;
}

/* The owner has got one more row. Not inlined either. */
__noinline int ports__add(u32 place)
{
	struct tw_owner_rows *owner = bpf_map_lookup_elem(&owner_rows, &place);

	if (place && owner)
		__sync_fetch_and_add(&owner->count, 1);
	return 0;
}

/* A place of many_ports for a row that many ports share; 0 if none is left. */
static __always_inline u16 ports__take_place(void)
{
	u32 place;

	return bpf_map_pop_elem(&free_many_ports, &place) ? 0 : (u16)place;
}

static __always_inline void ports__give_back_place(u16 place)
{
	u32 number = place;

	if (place)
		bpf_map_push_elem(&free_many_ports, &number, BPF_ANY);
}

/* Notes that the port shares that row, if it is a row that many ports share. Not inlined either. */
__noinline int ports__note(u32 row_id, u32 port)
{
	struct tw_row *row = bpf_map_lookup_elem(&rows, &row_id);
	struct tw_ports *ports;
	u32 place;

	if (!row || !row->many)
		return 0;
	place = row->many;
	ports = bpf_map_lookup_elem(&many_ports, &place);
	if (ports && port < sizeof(ports->seen))
		ports->seen[port] = 1;
	return 0;
}

#endif /* TWTRACE_PORTS_BPF_H */
