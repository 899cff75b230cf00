/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's own lists, read at once for all namespaces. No program here is ever attached: user space runs them
 * (BPF_PROG_TEST_RUN, since 5.10), each run at most a millisecond because it keeps its CPU and an RCU read section that
 * long, and goes on until there is no more. Once loaded they need no privilege (since 5.19). They need
 * bpf_probe_read_kernel. An object of its own, so that tracing works where the kernel refuses it.
 */
#include "kernel_types.h"
#include <bpf/bpf_helpers.h>

#include "lib/read_listeners.bpf.h"
#include "lib/read_namespaces.bpf.h"
#include "lib/read_table.bpf.h"

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
	if (!pass->last || !namespaces__is_linked(pass->last, pass->last_id))
		namespaces__begin(pass, own);
	for (i = 0; i < TW_READ_NAMESPACES / NAMESPACES_BATCH; i++) {
		if (namespaces__read_batch() || run__is_over())
			break;
	}
	run__end();
	return 0;
}

/* Goes on with the walk that user space has begun (tw_walk). */
SEC("raw_tp")
int walk_sockets(void *ctx)
{
	run__begin();
	walk__run();
	run__end();
	return 0;
}
