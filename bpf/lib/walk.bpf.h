/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Walks through a hash table of sockets without its locks, and with pauses.
 *
 * Under RCU, an unlinked entry still points to the next one, and new entries come only at the front of a chain. So the
 * walk misses nothing if nobody unlinks entries. But the kernel may reuse the memory of an entry at once, for a socket
 * in another chain (SLAB_TYPESAFE_BY_RCU). Then the walk ends in that other chain. The value at the end of a chain says
 * which chain it is. In that case the walk discards what it found and walks the chain again. If an entry was reused in
 * its own chain, the walk reaches some entries twice, and user space drops the duplicates.
 *
 * Between two runs the kernel may free the memory. The next run continues from the last entry only if it is still
 * linked into the chain. Otherwise it walks the chain again.
 */
#ifndef TWTRACE_WALK_BPF_H
#define TWTRACE_WALK_BPF_H

#include "chain.bpf.h"
#include "net_list.bpf.h"
#include "run.bpf.h"

/* Heads of chains that are read at once, because most chains are empty. */
#define WALK_HEADS 64
/* Steps between two looks at the clock; an entry is one, and so are some heads without entries. */
#define WALK_STEPS 32
#define WALK_STEPS_PER_HEADS 4
/* Loops in loops: the verifier follows each of them only once, because functions that are not inlined lie between. */
#define WALK_BATCHES 64
/* After so many attempts a chain is left as it was found last. */
#define WALK_ATTEMPTS 32

enum walk_step {
	WALK_ON,     /* more of the same chain */
	WALK_NEXT,   /* the chain is done */
	WALK_PAUSED, /* the run ends here */
};

struct tw_walk tw_walk = {};

/* What the functions below leave for each other. */
static u64 walk_heads[WALK_HEADS * 2]; /* as the kernel has them: a pointer each, and maybe a word for a lock */
static u32 walk_apart;                 /* 1: there is a lock between two of them, 0: none */
static union chain_entry walk_entry;
static u64 walk_next;   /* node to read next */
static u32 walk_stride; /* bytes from a head to the next one */
static u32 walk_steps;  /* since the last look at the clock */
static u32 walk_filled; /* readings in front of those of the chain in progress */

/* Take note of walk_entry, which is at that address. */
int table__take(u64 address);
int listeners__take(u64 address);

static __always_inline bool walk__is_over(u32 steps)
{
	walk_steps += steps;
	if (walk_steps < WALK_STEPS)
		return false;
	walk_steps = 0;
	return run__is_over();
}

/* Tells an entry from whatever else may be at its place by the next run. */
static __always_inline u64 walk__id(const struct sock_common *common)
{
	u64 id = (u64)common->skc_net.net ^ (u64)common->skc_cookie.counter << 8;

	id ^= (u64)common->skc_daddr << 32 | common->skc_rcv_saddr;
	return id ^ ((u64)common->skc_hash << 32 | (u32)common->skc_dport << 16 | common->skc_num);
}

/* Whether the entry may be in this chain. The address of a listener is not in its hash. */
static __always_inline bool walk__belongs(const struct sock_common *common)
{
	if (tw_walk.listeners)
		return common->skc_state == TCP_LISTEN;
	return (common->skc_hash & (tw_walk.chains - 1)) == tw_walk.chain;
}

static __always_inline u64 walk__head_address(u32 chain)
{
	return tw_walk.heads + (u64)chain * walk_stride;
}

static __always_inline void walk__begin_chain(void)
{
	tw_walk.place = 0;
	tw_walk.kept = 0;
	walk_filled = tw_walk.filled;
}

/* What was found in the chain so far is void. */
static __always_inline enum walk_step walk__restart_chain(void)
{
	if (++tw_walk.attempts > WALK_ATTEMPTS) {
		tw_walk.given_up++;
		return WALK_NEXT;
	}
	tw_walk.restarts++;
	tw_walk.dropped += tw_walk.kept;
	tw_walk.filled = walk_filled;
	walk__begin_chain();
	bpf_probe_read_kernel(&walk_next, sizeof(walk_next), (void *)walk__head_address(tw_walk.chain));
	return WALK_ON;
}

static __always_inline enum walk_step walk__end_chain(void)
{
	return walk_next >> 1 == (u64)tw_walk.nulls + tw_walk.chain ? WALK_NEXT : walk__restart_chain();
}

/* Some entries of the chain. Not inlined, as everything here: so the verifier looks at it once. */
__noinline int walk__entries(void)
{
	const struct sock_common *common;
	enum walk_step step = WALK_ON;
	u64 address;
	u32 i;

	for (i = 0; i < WALK_STEPS && step == WALK_ON; i++) {
		if (walk_next & 1) {
			step = walk__end_chain();
			continue;
		}
		if (tw_walk.filled >= tw_walk.room)
			return WALK_PAUSED;
		address = chain__read_entry(walk_next, &walk_entry);
		common = chain__common(&walk_entry);
		if (!address || !walk__belongs(common)) {
			step = walk__restart_chain();
			continue;
		}
		tw_walk.entries++;
		if (tw_walk.listeners)
			listeners__take(address);
		else
			table__take(address);
		tw_walk.place = walk_next;
		tw_walk.place_id = walk__id(common);
		walk_next = (u64)common->skc_nulls_node.next;
		if (walk__is_over(1))
			return WALK_PAUSED;
	}
	return step;
}

static __always_inline bool walk__is_linked(u64 node)
{
	u64 next = 0;

	bpf_probe_read_kernel(&next, sizeof(next), BPF_CORE_READ((struct hlist_nulls_node *)node, pprev));
	return next == node;
}

/* Goes on from the last entry of an earlier run, or begins again. */
static __always_inline enum walk_step walk__resume_chain(void)
{
	const struct sock_common *common;

	if (chain__read_entry(tw_walk.place, &walk_entry)) {
		common = chain__common(&walk_entry);
		walk_next = (u64)common->skc_nulls_node.next;
		if (walk__id(common) == tw_walk.place_id && walk__belongs(common) && walk__is_linked(tw_walk.place))
			return WALK_ON;
	}
	return walk__restart_chain();
}

/* One chain, from its first node or from where an earlier run stopped. 1: the run ends here. */
__noinline int walk__chain(u64 first)
{
	enum walk_step step = WALK_ON;
	u32 i;

	walk_next = first;
	if (tw_walk.place)
		step = walk__resume_chain();
	else
		walk__begin_chain();
	for (i = 0; i < WALK_BATCHES && step == WALK_ON; i++)
		step = walk__entries();
	if (step != WALK_NEXT) {
		tw_walk.kept += tw_walk.filled - walk_filled;
		return 1;
	}
	tw_walk.attempts = 0;
	walk__begin_chain();
	return 0;
}

/*
 * Reads the heads of the chains from that one on. Of the last head it reads only the pointer, as the table may end
 * there. A kernel that debugs its locks has larger heads, and they are read one by one.
 */
__noinline int walk__read_heads(u32 first)
{
	u32 last = tw_walk.chains - 1 - first;
	void *from = (void *)walk__head_address(first);
	u32 i;

	if (last > WALK_HEADS - 1)
		last = WALK_HEADS - 1;
	walk_apart = walk_stride == 2 * sizeof(u64);
	if (walk_apart)
		return bpf_probe_read_kernel(walk_heads, last * 2 * sizeof(u64) + sizeof(u64), from);
	if (walk_stride == sizeof(u64))
		return bpf_probe_read_kernel(walk_heads, last * sizeof(u64) + sizeof(u64), from);
	barrier_var(last); /* or the compiler leaves out the bound of i, which the verifier of 5.10 has to see */
	for (i = 0; i < WALK_HEADS && i <= last; i++) {
		if (bpf_probe_read_kernel(&walk_heads[i], sizeof(u64), (void *)walk__head_address(first + i)))
			return 1;
	}
	return 0;
}

static __always_inline u64 walk__head(u32 i)
{
	u32 word = i << walk_apart;

	barrier_var(word); /* the verifier has to see the bound */
	return walk_heads[word & (WALK_HEADS * 2 - 1)];
}

/* Whether no chain of the row has an entry. It may be false for an empty row if the table ends within the row. */
__noinline int walk__row_is_empty(void)
{
	u64 all = 1;
	u32 i;

	if (walk_apart) {
		for (i = 0; i < WALK_HEADS; i++)
			all &= walk_heads[i * 2];
	} else {
		for (i = 0; i < WALK_HEADS; i++)
			all &= walk_heads[i];
	}
	return all & 1;
}

/* The chains of a row of heads. 1: the run ends here. */
__noinline int walk__batch(void)
{
	u32 first = tw_walk.chain & ~(WALK_HEADS - 1);
	bool is_empty;
	u32 i;

	if (tw_walk.chain >= tw_walk.chains) {
		tw_walk.done = 1;
		return 1;
	}
	if (walk__read_heads(first)) {
		tw_walk.given_up++; /* the rest of the table is missing */
		tw_walk.done = 1;
		return 1;
	}
	is_empty = !tw_walk.place && walk__row_is_empty();
	for (i = 0; i < WALK_HEADS && !is_empty; i++) {
		u64 head = walk__head(i);

		if (first + i < tw_walk.chain || (head & 1 && !tw_walk.place))
			continue;
		if (first + i >= tw_walk.chains)
			break;
		tw_walk.chain = first + i;
		if (walk__chain(head))
			return 1;
	}
	tw_walk.chain = first + WALK_HEADS;
	return walk__is_over(WALK_STEPS_PER_HEADS);
}

/* The hash tables. Only the table of established connections may differ between namespaces. */
static __always_inline struct inet_hashinfo *walk__hashinfo(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct net *net = BPF_CORE_READ(task, nsproxy, net_ns);

	return BPF_CORE_READ(compat__death_row(TW_PROBED, net), hashinfo);
}

static __always_inline void walk__find_listeners(void)
{
	struct inet_hashinfo *hashinfo = walk__hashinfo();

	tw_walk.heads = compat__listeners(hashinfo, &tw_walk.chains) +
			bpf_core_field_offset(struct inet_listen_hashbucket, nulls_head);
	tw_walk.nulls = COMPAT_LISTENING_NULLS;
	walk_stride = bpf_core_type_size(struct inet_listen_hashbucket);
}

/* Many rows of heads. */
__noinline int walk__batches(void)
{
	u32 i;

	for (i = 0; i < WALK_BATCHES; i++) {
		if (walk__batch())
			return 1;
	}
	return 0;
}

/*
 * The next run. The table of a namespace is read only while the namespace is in the kernel's list. The kernel frees the
 * table after a grace period that begins later (cleanup_net).
 */
static __always_inline void walk__run(void)
{
	u32 i;

	tw_walk.filled = 0;
	tw_walk.dropped = 0;
	walk_filled = 0;
	walk_steps = 0;
	if (tw_walk.listeners)
		walk__find_listeners();
	else
		walk_stride = bpf_core_type_size(struct inet_ehash_bucket);
	if (tw_walk.netns_node && !net_list__has(tw_walk.netns_node, tw_walk.netns_id)) {
		tw_walk.gone = 1;
		tw_walk.done = 1;
		return;
	}
	for (i = 0; i < WALK_BATCHES; i++) {
		if (walk__batches())
			break;
	}
}

#endif /* TWTRACE_WALK_BPF_H */
