/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The loader's settings: constants that it sets before the load, and switches that it turns while the programs run. */
#ifndef TWTRACE_CONFIG_BPF_H
#define TWTRACE_CONFIG_BPF_H

#include "../kernel_types.h"

/* The verifier takes these for constants and drops the branches that they exclude. */
const volatile __u8 tw_can_probe_read = 1;    /* 0 under lockdown=confidentiality: see tw_access */
const volatile __u8 tw_has_task_btf = 1;      /* see compat__current */
const volatile __u8 tw_has_socket_cookie = 1; /* see compat__socket_cookie */
const volatile __u8 tw_cgroup_v1 = 0;         /* services are in the named v1 hierarchy tw_cgroup_root */
const volatile char tw_cgroup_root[64] = "systemd";
const volatile __u16 tw_match_local_port = 0; /* 0 matches all */
const volatile __u16 tw_match_remote_port = 0;
const volatile __u32 tw_mib_overflow = 0;       /* index of LINUX_MIB_TCPTIMEWAITOVERFLOW in linux_mib.mibs */
const volatile __u32 tw_wakeup_bytes = 0;       /* the ring wakes its reader when it is this full */
const volatile __u32 tw_slot_mask = 0xffff;     /* the number of slots, a power of two, less 1 */
const volatile __u32 tw_owner_mask = 0xffff;    /* the number of places in owner_rows, a power of two, less 1 */
const volatile __u32 tw_state_process_args = 3; /* see compat__state_process_result */
const volatile __u8 tw_resets_by_function = 0;  /* see reset__on_tracepoint */
const volatile __u32 tw_jiffy_ns = 0;           /* length of a jiffy; 0: not known */

/* 1 from the time that all programs are attached until the first one is detached. */
volatile __u32 tw_enabled = 0;
/* CLOCK_BOOTTIME at the last run of read_clock. */
volatile __u64 tw_clock_ns = 0;
/* The number of the running scan, or of the last one. */
volatile __u32 tw_scan = 0;

#endif /* TWTRACE_CONFIG_BPF_H */
