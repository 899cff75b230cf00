/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads the bind buckets: every local port that a socket or a bucket has, in whatever state. So it finds ports that are
 * only bound, and those of listening sockets, which are in no table of connections.
 *
 * A chain is read without its lock, in one go. Before 6.15 (d186f405fdf4) the memory of a bucket may be reused at once.
 * So an entry whose port does not belong in the chain ends the attempt, and the chain is read again.
 */
#ifndef TWTRACE_READ_BINDS_BPF_H
#define TWTRACE_READ_BINDS_BPF_H

#include "read_table.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TW_READ_BINDS);
	__type(key, u32);
	__type(value, struct tw_bind_reading);
} bind_readings SEC(".maps");

struct tw_bind_walk tw_bind_walk = {};

#define BINDS_HEADS 64
/* Loops in loops, as in walk.bpf.h. */
#define BINDS_STEPS 32
#define BINDS_BATCHES 64
#define BINDS_ATTEMPTS 8

static u64 binds_heads;    /* address of the first head */
static u32 binds_chains;   /* how many, a power of two */
static u32 binds_filled;   /* readings in front of those of the chain in progress */
static u32 binds_attempts; /* at the chain in progress, before this one */
static u64 binds_next;     /* node to read next; 0: the chain ends here */

/*
 * The heads of the next chains, read at once, because most chains are empty. A head is a lock and a pointer, and has
 * two words unless the kernel debugs its locks. Of the last one only the pointer is read, as the table may end there.
 */
#define BINDS_HEAD_WORDS 2
static u64 binds_block[BINDS_HEADS * BINDS_HEAD_WORDS - 1];
static u32 binds_block_first; /* chain */
static u32 binds_block_end;   /* behind the last one; as the first if none could be read */

enum binds_step {
	BINDS_ON,
	BINDS_ENDED,
	BINDS_CHANGED, /* the chain has to be read again */
	BINDS_FULL,    /* no room for more readings */
};

/* inet_bhashfn (5.10 to 7.x). */
static __always_inline bool binds__belongs(struct net *net, u16 port)
{
	return ((port + BPF_CORE_READ(net, hash_mix)) & (binds_chains - 1)) == tw_bind_walk.chain;
}

/* Takes note of a bucket. Not inlined, as everything here: so the verifier looks at it once. */
__noinline int binds__take(u64 node)
{
	struct inet_bind_bucket *bucket = (void *)(node - bpf_core_field_offset(struct inet_bind_bucket, node));
	struct net *net = BPF_CORE_READ(bucket, ib_net.net);
	u16 port = BPF_CORE_READ(bucket, port);
	struct tw_bind_reading *reading;
	struct table_netns *netns;
	u32 index;

	if (!binds__belongs(net, port))
		return BINDS_CHANGED;
	binds_next = (u64)BPF_CORE_READ((struct hlist_node *)node, next);
	netns = table__netns_of(net);
	if (!table__is_ephemeral(netns, port))
		return BINDS_ON;
	index = tw_bind_walk.filled;
	reading = bpf_map_lookup_elem(&bind_readings, &index);
	if (!reading)
		return BINDS_FULL;
	reading->netns_id = netns->id;
	reading->port = port;
	reading->chosen = role__port_was_chosen_by_connect(bucket);
	tw_bind_walk.filled = index + 1;
	return BINDS_ON;
}

__noinline int binds__entries(void)
{
	int step = BINDS_ON;
	u32 i;

	for (i = 0; i < BINDS_STEPS && step == BINDS_ON; i++)
		step = binds_next ? binds__take(binds_next) : BINDS_ENDED;
	return step;
}

static __always_inline void binds__read_block(u32 chain)
{
	binds_block_first = chain;
	binds_block_end = chain;
	if (bpf_core_type_size(struct inet_bind_hashbucket) == BINDS_HEAD_WORDS * sizeof(u64) &&
	    chain + BINDS_HEADS <= binds_chains &&
	    !bpf_probe_read_kernel(binds_block, sizeof(binds_block),
				   (void *)(binds_heads + (u64)chain * BINDS_HEAD_WORDS * sizeof(u64))))
		binds_block_end = chain + BINDS_HEADS;
}

static __always_inline bool binds__block_is_empty(void)
{
	u64 any = 0;
	u32 i;

	for (i = 0; i < BINDS_HEADS; i++)
		any |= binds_block[i * BINDS_HEAD_WORDS];
	return !any && binds_block_end != binds_block_first;
}

/* A chain that changed gets its head from the kernel once more. */
static __always_inline u64 binds__head(u32 chain)
{
	u32 at = chain - binds_block_first;
	u64 first = 0;

	if (chain < binds_block_end && at < BINDS_HEADS && !binds_attempts)
		return binds_block[at * BINDS_HEAD_WORDS];
	bpf_probe_read_kernel(&first, sizeof(first),
			      (void *)(binds_heads + (u64)chain * bpf_core_type_size(struct inet_bind_hashbucket)));
	return first;
}

/* All chains in front of that one have been read, or given up. */
static __always_inline void binds__go_on_at(u32 chain)
{
	tw_bind_walk.chain = chain;
	binds_filled = tw_bind_walk.filled;
	binds_attempts = 0;
}

/* The chain that is next. 1: the run ends here, and the next one begins with this chain. */
__noinline int binds__chain(void)
{
	int step = BINDS_ON;
	u32 i;

	for (i = 0; i < BINDS_BATCHES && step == BINDS_ON; i++)
		step = binds__entries();
	if (step == BINDS_FULL && binds_filled) {
		tw_bind_walk.filled = binds_filled;
		return 1;
	}
	if (step == BINDS_CHANGED && ++binds_attempts < BINDS_ATTEMPTS) {
		tw_bind_walk.filled = binds_filled;
		return 0;
	}
	if (step != BINDS_ENDED)
		tw_bind_walk.given_up++;
	binds__go_on_at(tw_bind_walk.chain + 1);
	return 0;
}

/* The next chain, or the same once more. 1: the run ends here. */
__noinline int binds__step(void)
{
	u32 chain = tw_bind_walk.chain;

	if (chain >= binds_chains) {
		tw_bind_walk.done = 1;
		return 1;
	}
	binds_next = binds__head(chain);
	if (binds_next)
		return binds__chain();
	binds__go_on_at(chain + 1);
	return 0;
}

/* Some chains. 1: the run ends here. */
__noinline int binds__batch(void)
{
	u32 i;

	binds__read_block(tw_bind_walk.chain);
	if (binds__block_is_empty()) {
		binds__go_on_at(binds_block_end);
		return 0;
	}
	for (i = 0; i < BINDS_HEADS; i++) {
		if (binds__step())
			return 1;
	}
	return 0;
}

__noinline int binds__batches(void)
{
	u32 i;

	for (i = 0; i < BINDS_BATCHES; i++) {
		if (binds__batch() || run__is_over())
			return 1;
	}
	return 0;
}

/* The next run. */
static __always_inline void binds__run(void)
{
	struct inet_hashinfo *hashinfo = walk__hashinfo();
	u32 i;

	tw_bind_walk.filled = 0;
	binds_filled = 0;
	binds_attempts = 0;
	binds_chains = BPF_CORE_READ(hashinfo, bhash_size);
	binds_heads = (u64)BPF_CORE_READ(hashinfo, bhash) + bpf_core_field_offset(struct inet_bind_hashbucket, chain);
	for (i = 0; i < BINDS_BATCHES; i++) {
		if (binds__batches())
			break;
	}
}

#endif /* TWTRACE_READ_BINDS_BPF_H */
