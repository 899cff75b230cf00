/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads the kernel's list of network namespaces. This is the first object that is loaded, because the limits found here
 * say how large the maps of the others must be. See tables.bpf.c for how reader programs run.
 */
#include "kernel_types.h"
#include <bpf/bpf_helpers.h>

#include "lib/read_namespaces.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Fills in the offsets of PERCPU_AT_ONCE CPUs. */
SEC("raw_tp")
int learn_cpus(void *ctx)
{
	u32 first = tw_first_cpu;
	u32 i;

	for (i = 0; i < PERCPU_AT_ONCE; i++)
		percpu__learn(first + i);
	return 0;
}

SEC("raw_tp")
int read_namespaces(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct net *own = BPF_CORE_READ(task, nsproxy, net_ns);
	struct tw_namespace_pass *pass = &tw_namespace_pass;
	u32 i;

	run__begin();
	pass->filled = 0;
	namespaces_ops = namespaces__ops_of(own);
	namespaces_hashinfo = 0;
	if (!pass->last || !net_list__has(pass->last, pass->last_id))
		namespaces__begin(pass, own);
	for (i = 0; i < TW_READ_NAMESPACES / NAMESPACES_BATCH; i++) {
		if (namespaces__read_batch() || run__is_over())
			break;
	}
	run__end();
	return 0;
}
