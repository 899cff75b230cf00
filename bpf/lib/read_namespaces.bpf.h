/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads every network namespace of the kernel, including those that only a descriptor, a socket or a thread holds. The
 * kernel keeps them in one list (net.list), which it changes under a lock and reads under RCU. So a namespace that is
 * removed while we read it still points to the next one. Between two runs it may be freed, so the next run checks it
 * before it continues from there.
 */
#ifndef TWTRACE_READ_NAMESPACES_BPF_H
#define TWTRACE_READ_NAMESPACES_BPF_H

#include "net_list.bpf.h"
#include "percpu.bpf.h"
#include "run.bpf.h"

/* Namespaces and CPUs between two looks at the clock. */
#define NAMESPACES_BATCH 8
#define CPUS_BATCH 64
#define CPU_BATCHES 128 /* CONFIG_NR_CPUS is at most 8192 */

/* Set by the loader, which finds the numbers of the counters in the kernel's BTF. */
const volatile struct tw_mib_span tw_mib_spans[TW_MIB_SPANS] = {};
/* For each word of tw_kernel_counters its place in the copy. */
const volatile __u32 tw_mib_places[TW_KERNEL_COUNTERS] = {};
const volatile __u32 tw_cpu_count = 0;

volatile __u32 tw_reads_counters = 1;
volatile __u32 tw_reads_settings = 0;

struct tw_namespace_pass tw_namespace_pass = {};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TW_READ_NAMESPACES);
	__type(key, u32);
	__type(value, struct tw_namespace_reading);
} namespace_readings SEC(".maps");

/* What the functions below leave for each other. */
static u64 namespaces_net_mib; /* of the namespace that is being read */
static u64 namespaces_tcp_mib;
static u64 namespaces_ops; /* of every namespace's ns_common; the list's head is in none */
static u64 namespaces_copy[TW_MIB_WORDS];
/* Of the table of the last namespace. Not a structure: clang would split it, and then its type in BTF is wrong. */
static u64 namespaces_hashinfo;
static u64 namespaces_heads;
static u32 namespaces_mask;
static u32 namespaces_has_own;

static __always_inline u64 namespaces__ops_of(struct net *net)
{
	return (u64)BPF_CORE_READ(net, ns.ops);
}

/*
 * Whether the kernel started with this namespace. The kernel only appends to the list (preinit_net, before 6.12
 * setup_net), so init_net is the first one behind the list's head. A namespace that is being removed is not in the
 * list.
 */
static __always_inline bool namespaces__is_initial(struct net *net)
{
	u64 node = (u64)net + bpf_core_field_offset(struct net, list);
	struct list_head *before = BPF_CORE_READ(net, list.prev);

	return (u64)BPF_CORE_READ(before, next) == node &&
	       namespaces__ops_of(net_list__net_of((u64)before)) != namespaces_ops;
}

static __always_inline void namespaces__copy_counters(u64 offset)
{
	u32 i;

	for (i = 0; i < TW_MIB_SPANS; i++) {
		u32 words = tw_mib_spans[i].words;
		u32 at = tw_mib_spans[i].at;
		u64 mib = tw_mib_spans[i].tcp ? namespaces_tcp_mib : namespaces_net_mib;

		if (!words || at >= TW_MIB_WORDS || words > TW_MIB_WORDS - at)
			continue;
		bpf_probe_read_kernel(&namespaces_copy[at], words * sizeof(u64),
				      (void *)(mib + offset + tw_mib_spans[i].first * sizeof(u64)));
	}
}

/* Adds what the CPUs from that one on have counted to that reading. */
__noinline int namespaces__add_cpus(u32 index, u32 first_cpu)
{
	struct tw_namespace_reading *reading = bpf_map_lookup_elem(&namespace_readings, &index);
	u32 i, k, number;
	struct tw_cpu *cpu;
	u64 *sums;

	if (!reading)
		return 0;
	sums = (u64 *)&reading->counters;
	for (i = 0; i < CPUS_BATCH; i++) {
		number = first_cpu + i;
		cpu = number < tw_cpu_count ? bpf_map_lookup_elem(&cpus, &number) : NULL;
		if (!cpu)
			return 0;
		namespaces__copy_counters(cpu->offset);
		for (k = 0; k < TW_KERNEL_COUNTERS; k++)
			sums[k] += namespaces_copy[tw_mib_places[k] & (TW_MIB_WORDS - 1)];
	}
	return 0;
}

static __always_inline void namespaces__sum_counters(u32 index, struct net *net)
{
	u32 i;

	namespaces_net_mib = (u64)BPF_CORE_READ(net, mib.net_statistics);
	namespaces_tcp_mib = (u64)BPF_CORE_READ(net, mib.tcp_statistics);
	for (i = 0; i < CPU_BATCHES && i * CPUS_BATCH < tw_cpu_count; i++)
		namespaces__add_cpus(index, i * CPUS_BATCH);
}

/* Most namespaces share one table, so what was read of it is kept until a run meets another table. */
static __always_inline void namespaces__read_table(struct inet_hashinfo *hashinfo, struct tw_namespace_reading *reading)
{
	if ((u64)hashinfo != namespaces_hashinfo) {
		namespaces_hashinfo = (u64)hashinfo;
		namespaces_heads = (u64)BPF_CORE_READ(hashinfo, ehash);
		namespaces_mask = BPF_CORE_READ(hashinfo, ehash_mask);
		namespaces_has_own = compat__is_own_table(hashinfo);
	}
	reading->table = namespaces_heads;
	reading->table_mask = namespaces_mask;
	reading->own_table = (u8)namespaces_has_own;
}

/* Words of the bitmap of reserved ports that are read at once. */
#define PORT_WORDS 8
#define PORT_WORD_BITS 64
#define PORTS_AT_ONCE (PORT_WORDS * PORT_WORD_BITS)
#define PORT_BATCHES 128 /* 65,536 ports */

static u64 namespaces_port_words[PORT_WORDS];

static __always_inline u32 bits__count(u64 word)
{
	word -= word >> 1 & 0x5555555555555555ULL;
	word = (word & 0x3333333333333333ULL) + (word >> 2 & 0x3333333333333333ULL);
	word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return (u32)(word * 0x0101010101010101ULL >> 56);
}

/* The bits of a word of the bitmap that are ports from `first` to `last`. */
static __always_inline u64 namespaces__ports_in_range(u32 word_first, u32 first, u32 last)
{
	u64 mask = ~0ULL;

	if (word_first > last || word_first + PORT_WORD_BITS <= first)
		return 0;
	if (first > word_first)
		mask &= ~0ULL << (first - word_first);
	if (last < word_first + PORT_WORD_BITS - 1)
		mask &= ~0ULL >> (word_first + PORT_WORD_BITS - 1 - last);
	return mask;
}

/* Adds the ports of a part of the bitmap that connect() may choose. */
__noinline int namespaces__add_ports(u32 index, u64 bitmap, u32 batch)
{
	struct tw_namespace_reading *reading = bpf_map_lookup_elem(&namespace_readings, &index);
	u32 i, word_first;

	if (!reading || bpf_probe_read_kernel(namespaces_port_words, sizeof(namespaces_port_words),
					      (void *)(bitmap + batch * sizeof(namespaces_port_words))))
		return 0;
	for (i = 0; i < PORT_WORDS; i++) {
		word_first = (batch * PORT_WORDS + i) * PORT_WORD_BITS;
		reading->settings.usable_ports +=
		    bits__count(~namespaces_port_words[i] &
				namespaces__ports_in_range(word_first, reading->first_port, reading->last_port));
	}
	return 0;
}

static __always_inline void namespaces__read_settings(u32 index, struct net *net, struct tw_namespace_reading *reading)
{
	u64 bitmap = (u64)BPF_CORE_READ(net, ipv4.sysctl_local_reserved_ports);
	u32 batch;

	reading->settings.fin_timeout = compat__setting(net, ipv4.sysctl_tcp_fin_timeout);
	reading->settings.tw_reuse = compat__setting(net, ipv4.sysctl_tcp_tw_reuse);
	reading->settings.timestamps = compat__setting(net, ipv4.sysctl_tcp_timestamps);
	reading->settings.syn_backlog = compat__setting(net, ipv4.sysctl_max_syn_backlog);
	reading->settings.somaxconn = compat__setting(net, core.sysctl_somaxconn);
	for (batch = reading->first_port / PORTS_AT_ONCE; batch < PORT_BATCHES; batch++) {
		if (batch * PORTS_AT_ONCE > reading->last_port)
			break;
		namespaces__add_ports(index, bitmap, batch);
	}
}

/* Fills the next reading. Not inlined: so the verifier looks at it once. */
__noinline int namespaces__read(u64 address)
{
	struct net *net = (struct net *)address;
	u32 index = tw_namespace_pass.filled;
	struct tw_namespace_reading *reading = bpf_map_lookup_elem(&namespace_readings, &index);
	struct inet_timewait_death_row *row;

	if (!reading)
		return 0;
	__builtin_memset(reading, 0, sizeof(*reading));
	row = compat__death_row(TW_PROBED, net);
	reading->id = compat__net_id(net);
	reading->cookie = compat__has_net_cookie() ? reading->id : 0;
	reading->node = address + bpf_core_field_offset(struct net, list);
	reading->inum = BPF_CORE_READ(net, ns.inum);
	reading->exiting = compat__net_is_exiting(TW_PROBED, net);
	reading->initial = namespaces__is_initial(net);
	reading->limit = (u32)BPF_CORE_READ(row, sysctl_max_tw_buckets);
	reading->count = compat__death_row_count(TW_PROBED, row);
	namespaces__read_table(BPF_CORE_READ(row, hashinfo), reading);
	compat__local_ports(net, &reading->first_port, &reading->last_port);
	if (tw_reads_counters)
		namespaces__sum_counters(index, net);
	if (tw_reads_settings)
		namespaces__read_settings(index, net, reading);
	tw_namespace_pass.last_id = reading->id;
	tw_namespace_pass.filled = index + 1;
	return 0;
}

/* Reads the namespaces behind the last one. 1: the run ends here. */
__noinline int namespaces__read_batch(void)
{
	struct tw_namespace_pass *pass = &tw_namespace_pass;
	u64 node = pass->last;
	struct net *net;
	u32 i;

	for (i = 0; i < NAMESPACES_BATCH; i++) {
		if (pass->filled >= TW_READ_NAMESPACES)
			return 1;
		node = (u64)BPF_CORE_READ((struct list_head *)node, next);
		if (node == pass->first || !node) {
			pass->done = node != 0;
			return 1;
		}
		net = net_list__net_of(node);
		if (namespaces__ops_of(net) != namespaces_ops)
			continue;
		namespaces__read((u64)net);
		pass->last = node;
	}
	return 0;
}

/* The pass begins with our own namespace, which is certainly in the list. */
static __always_inline void namespaces__begin(struct tw_namespace_pass *pass, struct net *own)
{
	if (pass->last)
		pass->restarts++;
	pass->first = (u64)own + bpf_core_field_offset(struct net, list);
	pass->last = pass->first;
	namespaces__read((u64)own);
}

#endif /* TWTRACE_READ_NAMESPACES_BPF_H */
