/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds the per-CPU offset of each possible CPU. Many kernels list no data symbols in kallsyms, so __per_cpu_offset is
 * out of reach. Running a program on each CPU would miss offline CPUs, which keep their counts. But a per-CPU map gives
 * both addresses of the same value: the __percpu pointer and the address on a CPU.
 */
#ifndef TWTRACE_PERCPU_BPF_H
#define TWTRACE_PERCPU_BPF_H

#include "compat.bpf.h"
#include <twtrace/abi.h>

/* How many CPUs one run of learn_cpus looks at. */
#define PERCPU_AT_ONCE 64

/* One of each possible CPU. User space makes it as large as there are, and writes their numbers. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct tw_cpu);
} cpus SEC(".maps");

/* On each CPU its number plus one, written by user space. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} cpu_marks SEC(".maps");

/* The first CPU of the array that the next run of learn_cpus looks at. */
volatile __u32 tw_first_cpu = 0;

/* The __percpu pointer of cpu_marks. */
static __always_inline u64 percpu__marks(void)
{
	u64 map = tw_untyped(&cpu_marks);
	u64 marks = 0;

	bpf_probe_read_kernel(&marks, sizeof(marks), (void *)(map + bpf_core_field_offset(struct bpf_array, pptrs)));
	return marks;
}

/* Where that CPU's mark is; 0 when that cannot be known. */
static __always_inline u64 percpu__mark_of(u32 cpu)
{
	u32 zero = 0;
	u64 here, there;

	if (compat__has_percpu_lookup())
		return tw_untyped(bpf_map_lookup_percpu_elem(&cpu_marks, &zero, cpu));
	here = compat__percpu_variable(bpf_get_smp_processor_id());
	there = compat__percpu_variable(cpu);
	if (!here || !there)
		return 0;
	return tw_untyped(bpf_map_lookup_elem(&cpu_marks, &zero)) + there - here;
}

/*
 * Finds the offset of one CPU of the array, and accepts it only if that CPU's mark is there. Not inlined, so that the
 * verifier looks at it once.
 */
__noinline int percpu__learn(u32 index)
{
	struct tw_cpu *cpu = bpf_map_lookup_elem(&cpus, &index);
	u64 address, mark = 0;

	if (!cpu)
		return 0;
	address = percpu__mark_of(cpu->id);
	cpu->offset = address - percpu__marks();
	cpu->known = !bpf_probe_read_kernel(&mark, sizeof(mark), (void *)address) && mark == cpu->id + 1ULL;
	return 0;
}

#endif /* TWTRACE_PERCPU_BPF_H */
