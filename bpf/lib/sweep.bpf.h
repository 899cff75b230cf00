/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sweeps what the scans no longer find: entries of maps. User space reads the slots by itself. */
#ifndef TWTRACE_SWEEP_BPF_H
#define TWTRACE_SWEEP_BPF_H

#include "store.bpf.h"

/* What a sweep writes at a pause: as much as user space reads at a time, and no record (key 0). */
char tw_sweep_pause[TW_SWEEP_READ_BYTES];

static __always_inline bool sweep__is_pause(const struct bpf_iter_meta *meta)
{
	return (meta->seq_num & tw_sweep_slice_mask) == tw_sweep_slice_mask;
}

static __always_inline void sweep__pause(const struct bpf_iter_meta *meta)
{
	if (sweep__is_pause(meta))
		bpf_seq_write(meta->seq, tw_sweep_pause, sizeof(tw_sweep_pause));
}

/* Writes a stale entry of a map, for user space to delete. */
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

#endif /* TWTRACE_SWEEP_BPF_H */
