/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Remembers which processes with a row still live. User space cannot ask /proc. In a container, /proc shows other
 * processes under the same numbers, and in a time namespace it shows other start times.
 */
#ifndef TWTRACE_PROCESS_BPF_H
#define TWTRACE_PROCESS_BPF_H

#include "compat.bpf.h"
#include "maps.bpf.h"

/* Processes that have a row, from the first FIN on. The value says nothing. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TW_MAX_ROWS);
	__type(key, struct tw_process);
	__type(value, u32);
} processes SEC(".maps");

/* How many of them have ended. It moves after the process has left the map. */
volatile __u64 tw_process_exits = 0;

/* Whether the last thread of the process is on its way out. */
static __always_inline bool process__is_ending(struct task_struct *leader)
{
	struct signal_struct *signal = compat__task_get(leader, signal);

	return compat__task_get(signal, live.counter) == 0;
}

/*
 * Call this before the row is published, because a process that is not in the map counts as ended. A process that
 * closes its files at its end has run process__on_exit already, or runs it meanwhile on another CPU. So this looks
 * again after the insert.
 */
static __always_inline void process__remember(struct task_struct *leader, u32 tgid, u64 start_ns)
{
	struct tw_process process = {.start_ns = start_ns, .tgid = tgid};
	u32 value = 0;

	if (process__is_ending(leader) || bpf_map_lookup_elem(&processes, &process))
		return;
	bpf_map_update_elem(&processes, &process, &value, BPF_NOEXIST);
	if (process__is_ending(leader))
		bpf_map_delete_elem(&processes, &process);
}

/* Runs for each thread that ends, in its own context, after it has left signal_struct.live (do_exit, all versions). */
static __always_inline void process__on_exit(void)
{
	struct task_struct *leader = compat__current(group_leader);
	struct tw_process process = {};

	if (!process__is_ending(leader))
		return;
	process.start_ns = compat__task_get(leader, start_boottime);
	process.tgid = (u32)(bpf_get_current_pid_tgid() >> 32);
	if (!bpf_map_delete_elem(&processes, &process))
		__sync_fetch_and_add(&tw_process_exits, 1);
}

#endif /* TWTRACE_PROCESS_BPF_H */
