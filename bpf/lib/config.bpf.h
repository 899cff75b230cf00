/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the loader decides: constants of the load, and switches of the run. */
#ifndef TWTRACE_CONFIG_BPF_H
#define TWTRACE_CONFIG_BPF_H

#include "../kernel_types.h"
#include <twtrace/abi.h>

/*
 * The loader sets these before it loads the programs. They are constants to the verifier, which drops the branches that
 * they exclude.
 */
const volatile __u32 tw_abi_version = TW_ABI_VERSION;
const volatile __u8 tw_can_probe_read = 1;    /* 0 under lockdown=confidentiality */
const volatile __u8 tw_has_task_btf = 1;      /* see compat__current */
const volatile __u8 tw_has_socket_cookie = 1; /* see compat__socket_cookie */
const volatile __u8 tw_cgroup_v1 = 0;         /* services live in the v1 named hierarchy tw_cgroup_root */
const volatile char tw_cgroup_root[64] = "systemd";
const volatile __u16 tw_match_local_port = 0; /* 0 matches all */
const volatile __u16 tw_match_remote_port = 0;
const volatile __u32 tw_mib_overflow = 0;       /* index of LINUX_MIB_TCPTIMEWAITOVERFLOW in linux_mib.mibs */
const volatile __u32 tw_wakeup_bytes = 0;       /* ring fill at which the reader is woken once */
const volatile __u32 tw_slot_mask = 0xffff;     /* the number of slots - 1; that is a power of two */
const volatile __u32 tw_state_process_args = 3; /* see compat__state_process_result */
/*
 * After so many objects, less one, an iterator says something: a read() with a small buffer comes back then, and the
 * next one goes on where it stopped (bpf_seq_read). A power of two less one.
 */
const volatile __u64 tw_scan_slice_mask = 16383;

/* On after every program is attached, off before the first is detached. */
volatile __u32 tw_enabled = 0;
/* Generation of the running or last scan: see tw_bucket.scan. */
volatile __u32 tw_scan = 0;

#endif /* TWTRACE_CONFIG_BPF_H */
