/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds the rows of listening sockets that dropped connection attempts. No hook shows a drop. So user space reads the
 * sockets' counters, and the kernel side tells it who has the sockets, and what they had dropped when they closed.
 * Needs bpf_probe_read_kernel.
 */
#ifndef TWTRACE_LISTENER_BPF_H
#define TWTRACE_LISTENER_BPF_H

#include "file.bpf.h"
#include "owner.bpf.h"

/* User space puts the addresses of sockets here, without a row, and takes them out with their row. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TW_MAX_LISTENERS);
	__type(key, u64);
	__type(value, u32);
} listener_rows SEC(".maps");

/* Sockets that closed. What is not here because it is full is in `missed`. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, TW_MAX_LISTENERS);
	__type(value, struct tw_closed_listener);
} closed_listeners SEC(".maps");

/* For claim_listener. */
volatile __u64 tw_listener = 0;

/*
 * Sets the namespace, port and family of the key. The port stays in inet_sport after inet_put_port has cleared skc_num.
 * conn__read could tell no more, because the socket has no peer, and it needs stack, of which a program and all that it
 * calls have 512 bytes.
 */
static __always_inline void listener__set_place(struct tw_row_key *key, struct sock *sk)
{
	struct conn conn = {.family = TW_FAMILY_IPV4};

	conn.local_port = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
	if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET6 && compat__has_ipv6())
		conn.family = TW_FAMILY_IPV6;
	owner__set_place(key, &conn, netns__intern(TW_PROBED, BPF_CORE_READ(sk, __sk_common.skc_net.net)),
			 TW_ROLE_SERVER);
}

/* The row of whoever closes it, mostly a process that had it. */
static __always_inline u32 listener__closer(struct sock *sk)
{
	struct tw_row_key key = {};

	listener__set_place(&key, sk);
	return owner__is_current(TW_PROBED, sk) ? owner__intern_current(&key)
						: owner__intern_socket(TW_PROBED, sk, &key);
}

static __always_inline void listener__note_closed(struct sock *sk, u32 drops, u32 row)
{
	struct tw_closed_listener closed = {.id = conn__listener_id(sk), .drops = drops, .row = row};

	closed.netns_id = compat__net_id(BPF_CORE_READ(sk, __sk_common.skc_net.net));
	closed.queue = BPF_CORE_READ(sk, sk_ack_backlog);
	closed.queue_limit = BPF_CORE_READ(sk, sk_max_ack_backlog);
	bpf_map_push_elem(&closed_listeners, &closed, BPF_ANY);
}

/* A listening socket closes. A global function, as cgroup__intern, so that the verifier checks it once. */
__noinline int listener__on_close(u64 address)
{
	struct sock *sk = (struct sock *)address;
	u32 drops;

	if (!tw_can_probe_read)
		return 0;
	drops = (u32)BPF_CORE_READ(sk, sk_drops.counter);
	if (drops)
		listener__note_closed(sk, drops, listener__closer(sk));
	return 0;
}

/*
 * A file of a process; `address`: what file__socket says of it. If it is a socket that user space asks about, the first
 * process that has it gets the row.
 */
static __always_inline void listener__on_file(struct task_struct *task, struct file *file, u64 address)
{
	u32 *row = bpf_map_lookup_elem(&listener_rows, &address);
	struct tw_row_key key = {};

	if (!row || *row != TW_ROW_NONE || !file__is_of(file, address))
		return;
	listener__set_place(&key, (struct sock *)address);
	*row = owner__intern_task(&key, task);
}

/* The socket tw_listener is in no process that the iterator found. */
static __always_inline int listener__claim(void)
{
	u64 address = tw_listener;
	struct sock *sk = (struct sock *)address;
	u32 *row = bpf_map_lookup_elem(&listener_rows, &address);
	struct tw_row_key key = {};

	if (!row || *row != TW_ROW_NONE || BPF_CORE_READ(sk, __sk_common.skc_state) != TCP_LISTEN)
		return 0;
	listener__set_place(&key, sk);
	*row = owner__intern_socket(TW_PROBED, sk, &key);
	return 0;
}

#endif /* TWTRACE_LISTENER_BPF_H */
