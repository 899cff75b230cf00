/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Scans the sockets and buckets that the kernel has now, and sweeps what it no longer has. */
#ifndef TWTRACE_SCAN_BPF_H
#define TWTRACE_SCAN_BPF_H

#include "ehash.bpf.h"

/* The namespace that is being scanned. An iterator sees one namespace only. */
volatile __u32 tw_scan_netns = 0;
/* 1 during the first scan: a bucket that is unknown then is older than twtrace. */
volatile __u32 tw_scan_marks_pre_existing = 0;
/* What a sweep writes at a pause: as much as user space reads at a time, and no record (key 0). */
char tw_sweep_pause[TW_SWEEP_READ_BYTES];

/*
 * Where compat__loses_chain: the chain that the iteration loses if no earlier one has connections of the namespace, and
 * the first chain in which it found some, plus 1. User space sets both to 0 before an iteration.
 */
volatile __u32 tw_scan_lost_chain = 0;
volatile __u32 tw_scan_first_chain = 0;

static __always_inline bool scan__is_pause(const struct bpf_iter_meta *meta)
{
	return (meta->seq_num & tw_scan_slice_mask) == tw_scan_slice_mask;
}

static __always_inline void scan__credit_bucket(u64 cookie, u64 address)
{
	struct tw_netns *ns = netns__at(tw_scan_netns);
	struct stored stored;
	struct tw_row *row;

	if (!ns)
		return;
	ns->scanned++;
	if (!store__find_bucket(cookie, address, &stored) &&
	    !(tw_scan_marks_pre_existing && store__add_bucket(&stored, tw_scan_netns)))
		return; /* no program saw its creation */
	store__mark_scanned(&stored);
	row = row__at(stored.bucket->row);
	if (row)
		row->scanned++;
	else if (!stored.bucket->created_ns)
		ns->scanned_pre_existing++;
}

static __always_inline void scan__mark_socket(u64 cookie, u64 address)
{
	struct stored stored;

	if (store__look_up_socket(cookie, address, &stored))
		store__mark_scanned(&stored);
}

/* Credits a bucket to its row, and marks a bucket or a closing socket as alive. */
static __always_inline void scan__take(u8 state, u64 cookie, u64 address)
{
	if (state == TCP_TIME_WAIT)
		scan__credit_bucket(cookie, address);
	else if (state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2 || state == TCP_CLOSING)
		scan__mark_socket(cookie, address);
}

/* Whether the iteration loses a chain that we can read by ourselves. */
static __always_inline bool scan__loses_chain(void)
{
	return tw_can_probe_read && compat__loses_chain();
}

/* The lost chain has the number of the chain after the last listener. */
static __always_inline void scan__note_chain(struct seq_file *seq, u8 state)
{
	if (!scan__loses_chain() || tw_scan_first_chain)
		return;
	if (state == TCP_LISTEN)
		tw_scan_lost_chain = compat__iterated_chain(seq) + 1;
	else
		tw_scan_first_chain = compat__iterated_chain(seq) + 1;
}

/* A global function: see cgroup__intern. */
__noinline int scan__take_entry(u64 state, u64 cookie, u64 address)
{
	scan__take((u8)state, cookie, address);
	return 0;
}

/* Takes the sockets and buckets of the namespace `net` in a chain. Holds no lock, as ehash__find_wanted. */
__noinline int scan__take_chain(u64 node, u64 net)
{
	const struct sock_common *common;
	union chain_entry entry;
	u64 address;
	int i;

	if (!tw_can_probe_read)
		return 0;
	for (i = 0; i < EHASH_MAX_STEPS; i++) {
		address = chain__read_entry(node, &entry);
		if (!address)
			return 0;
		common = chain__common(&entry);
		if ((u64)common->skc_net.net == net)
			scan__take_entry(common->skc_state, (u64)common->skc_cookie.counter, address);
		node = (u64)common->skc_nulls_node.next;
	}
	return 0;
}

/*
 * Takes the chain that the iteration has lost, at its end. None is lost if an earlier chain, or that one, had
 * connections of the namespace, or if the last listener was in the last chain of listeners.
 */
static __always_inline void scan__take_lost_chain(struct seq_file *seq)
{
	u32 chain = tw_scan_lost_chain;
	struct inet_hashinfo *hashinfo;
	struct net *net;

	if (!scan__loses_chain() || (tw_scan_first_chain && tw_scan_first_chain <= chain + 1))
		return;
	net = compat__iterated_net(seq);
	hashinfo = BPF_CORE_READ(compat__death_row(TW_PROBED, net), hashinfo);
	if (chain > BPF_CORE_READ(hashinfo, lhash2_mask) || chain > BPF_CORE_READ(hashinfo, ehash_mask))
		return;
	scan__take_chain(chain__first_node((u64)BPF_CORE_READ(hashinfo, ehash), chain), (u64)net);
}

/* The iteration over the namespace comes to a socket or bucket, or to its end. */
static __always_inline void scan__on_socket(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;

	if (!skc) { /* the end */
		scan__take_lost_chain(ctx->meta->seq);
		return;
	}
	if (scan__is_pause(ctx->meta))
		bpf_seq_write(ctx->meta->seq, tw_sweep_pause, 1);
	scan__note_chain(ctx->meta->seq, skc->skc_state);
	scan__take(skc->skc_state, (u64)skc->skc_cookie.counter, (u64)skc);
}

static __always_inline void sweep__pause(const struct bpf_iter_meta *meta)
{
	if (scan__is_pause(meta))
		bpf_seq_write(meta->seq, tw_sweep_pause, sizeof(tw_sweep_pause));
}

/* Writes a stale entry of a map, for user space to judge and delete. User space reads the slots by itself. */
static __always_inline void sweep__write(const struct bpf_iter_meta *meta, u64 key, const struct tw_bucket *bucket)
{
	struct tw_swept_bucket swept = {.key = key, .bucket = *bucket};

	bpf_seq_write(meta->seq, &swept, sizeof(swept));
}

static __always_inline void sweep__on_bucket(struct bpf_iter__bpf_map_elem *ctx)
{
	struct tw_bucket *bucket = ctx->value;
	u64 *key = ctx->key;

	sweep__pause(ctx->meta);
	if (key && bucket && store__is_stale(bucket->scan))
		sweep__write(ctx->meta, *key, bucket);
}

static __always_inline void sweep__on_socket(struct bpf_iter__bpf_map_elem *ctx)
{
	struct tw_socket *socket = ctx->value;
	u64 *key = ctx->key;

	sweep__pause(ctx->meta);
	if (key && socket && store__is_stale(socket->scan))
		sweep__write(ctx->meta, *key, &(struct tw_bucket){.row = socket->row, .scan = socket->scan});
}

#endif /* TWTRACE_SCAN_BPF_H */
