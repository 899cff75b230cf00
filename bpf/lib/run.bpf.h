/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Limits how long a run of a reader program takes, because only interrupts run on its CPU meanwhile. */
#ifndef TWTRACE_RUN_BPF_H
#define TWTRACE_RUN_BPF_H

#include "../kernel_types.h"
#include <bpf/bpf_helpers.h>

/* A run that has taken so long stops as soon as it can. */
volatile __u64 tw_run_ns = 500000;
/* What the last run took. */
volatile __u64 tw_run_took_ns = 0;

static u64 run_begun_ns;
static u32 run_number; /* between two runs everything may change */

static __always_inline void run__begin(void)
{
	run_begun_ns = bpf_ktime_get_ns();
	run_number++;
}

static __always_inline bool run__is_over(void)
{
	return bpf_ktime_get_ns() - run_begun_ns >= tw_run_ns;
}

static __always_inline void run__end(void)
{
	tw_run_took_ns = bpf_ktime_get_ns() - run_begun_ns;
}

#endif /* TWTRACE_RUN_BPF_H */
