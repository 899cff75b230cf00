/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Keeps the arguments of a function for its kretprobe. Entries and returns nest strictly on one task, softirqs on top
 * of it included. So each task has a small stack for each function. The idle tasks, which all have pid 0, are told
 * apart by their CPU.
 */
#ifndef TWTRACE_PAIR_BPF_H
#define TWTRACE_PAIR_BPF_H

#include "maps.bpf.h"

#define PAIR_DEPTH 4

enum pair_function {
	PAIR_TWSK_ALLOC = 1,
	PAIR_TWSK_UNIQUE = 2,
	PAIR_STATE_PROCESS = 3,
	PAIR_GET_PORT = 4,
};

struct pair_key {
	u32 task;
	u32 cpu; /* of the idle task: its CPU + 1; else 0 */
	u32 function;
};

struct pair_args {
	u64 first;
	u64 second;
	u64 third;
};

struct pair_stack {
	u64 depth;
	struct pair_args args[PAIR_DEPTH];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct pair_key);
	__type(value, struct pair_stack);
} pairs SEC(".maps");

static __always_inline struct pair_key pair__key(enum pair_function function)
{
	struct pair_key key = {.task = (u32)bpf_get_current_pid_tgid(), .function = function};

	if (!key.task)
		key.cpu = bpf_get_smp_processor_id() + 1;
	return key;
}

static __always_inline void pair__enter(enum pair_function function, u64 first, u64 second, u64 third)
{
	struct pair_key key = pair__key(function);
	struct pair_stack *stack = bpf_map_lookup_elem(&pairs, &key);
	struct pair_stack fresh = {.depth = 1, .args[0] = {first, second, third}};
	u64 depth;

	if (!stack) {
		if (bpf_map_update_elem(&pairs, &key, &fresh, BPF_NOEXIST))
			stats__add(pairs_lost);
		return;
	}
	depth = stack->depth;
	if (depth >= PAIR_DEPTH) {
		stats__add(pairs_lost);
		return;
	}
	stack->args[depth].first = first;
	stack->args[depth].second = second;
	stack->args[depth].third = third;
	stack->depth = depth + 1;
}

/* False if the entry was not seen. */
static __always_inline bool pair__leave(enum pair_function function, struct pair_args *args)
{
	struct pair_key key = pair__key(function);
	struct pair_stack *stack = bpf_map_lookup_elem(&pairs, &key);
	u64 top = stack ? stack->depth - 1 : PAIR_DEPTH;

	barrier_var(top); /* keeps the test below a test of the index itself */
	if (!stack || top >= PAIR_DEPTH) {
		stats__add(pairs_lost);
		return false;
	}
	*args = stack->args[top];
	if (top)
		stack->depth = top;
	else
		bpf_map_delete_elem(&pairs, &key);
	return true;
}

#endif /* TWTRACE_PAIR_BPF_H */
