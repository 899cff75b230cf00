/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads the kernel's tables of sockets, for all namespaces at once.
 *
 * Reader programs, here and in namespaces.bpf.c, are never attached. User space runs them (BPF_PROG_TEST_RUN, since
 * 5.10) until there is no more to read. A run keeps its CPU and an RCU read section, so it lasts at most a millisecond.
 * Once loaded, the programs need no privilege (since 5.19). They need bpf_probe_read_kernel. They are objects of their
 * own, so that tracing works where the kernel refuses them.
 */
#include "kernel_types.h"
#include <bpf/bpf_helpers.h>

#include "lib/read_binds.bpf.h"
#include "lib/read_listeners.bpf.h"
#include "lib/read_table.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Goes on with the walk that user space has begun (tw_walk). */
SEC("raw_tp")
int walk_sockets(void *ctx)
{
	run__begin();
	walk__run();
	run__end();
	return 0;
}

/* Goes on with the pass over the bind buckets that user space has begun (tw_bind_walk). */
SEC("raw_tp")
int walk_binds(void *ctx)
{
	run__begin();
	binds__run();
	run__end();
	return 0;
}
