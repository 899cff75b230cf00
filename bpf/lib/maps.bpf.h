/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The maps that several files use, and the health counters. */
#ifndef TWTRACE_MAPS_BPF_H
#define TWTRACE_MAPS_BPF_H

#include "config.bpf.h"
#include <bpf/bpf_helpers.h>
#include <twtrace/abi.h>

/*
 * Counts what went wrong. This is no map: user space would read it by a system call, during which the kernel skips
 * every BPF kprobe on that CPU (bpf_disable_instrumentation). Its cache lines are apart from what every program reads.
 */
struct tw_stats tw_health __attribute__((aligned(64))) = {};
/* Never used. They make the compiler describe in BTF what no map holds, for tests/unit/abi. */
struct tw_event *tw_btf_event;
struct tw_swept_bucket *tw_btf_swept_bucket;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TW_MAX_ROWS);
	__type(key, u32);
	__type(value, struct tw_row);
} rows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TW_MAX_ROWS);
	__type(key, struct tw_row_key);
	__type(value, u32);
} row_ids SEC(".maps");

/* Row numbers that are free. User space fills and refills it. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, TW_MAX_ROWS);
	__type(value, u32);
} free_rows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TW_MAX_NETNS);
	__type(key, u32);
	__type(value, struct tw_netns);
} namespaces SEC(".maps");

/* Key: see netns__intern. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TW_MAX_NETNS);
	__type(key, u64);
	__type(value, u32);
} netns_ids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, TW_MAX_NETNS);
	__type(value, u32);
} free_netns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TW_MAX_CGROUPS);
	__type(key, u64);
	__type(value, struct tw_cgroup);
} cgroups SEC(".maps");

/* TCPTimeWaitOverflow of this CPU and namespace. */
struct overflow_counter {
	u64 address; /* where the kernel counts; 0: not looked up yet */
	u64 seen;    /* the count at the last end of a connection on this CPU */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TW_MAX_NETNS);
	__type(key, u32);
	__type(value, struct overflow_counter);
} overflow_counters SEC(".maps");

/*
 * The bucket that ehash__find_bucket looks for. Two programs may interrupt each other, and each has one of these. A
 * pointer that is stored here and loaded again is a plain address.
 */
struct ehash_wanted {
	u64 chains; /* the first chain of the table */
	u64 net;
	u32 hash;
	u32 mask;
	u32 local[4];
	u32 remote[4];
	u16 local_port;  /* host order */
	u16 remote_port; /* network order */
	u16 family;
	u16 reserved;
	u32 device; /* that the socket is bound to */
	u32 reserved2;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, struct ehash_wanted);
} ehash_wanted SEC(".maps");

/* The loader resizes it (--ring-size). */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} events SEC(".maps");

#define stats__add(field) __sync_fetch_and_add(&tw_health.field, 1)

#endif /* TWTRACE_MAPS_BPF_H */
