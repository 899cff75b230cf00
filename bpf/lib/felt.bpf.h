/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds the process that feels a reset. The reset comes in softirq, and a socket does not remember its process. But the
 * process closes the socket, mostly at once, and until then the socket is among its files. So the reset waits here
 * until one of these two shows the process, and is counted then. If neither does, it counts for the service and uid of
 * the socket. Whoever takes it out of the map counts it, so it is counted once.
 */
#ifndef TWTRACE_FELT_BPF_H
#define TWTRACE_FELT_BPF_H

#include "bucket.bpf.h"
#include "emit.bpf.h"
#include "file.bpf.h"

/* Key: struct sock address. User space gives what is left to the socket's row, at every sample. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TW_MAX_FELT);
	__type(key, u64);
	__type(value, struct tw_felt);
} felt_resets SEC(".maps");

/*
 * How many wait. It grows before one is put in, and falls after one is taken out. It is mostly 0, so closing a socket
 * costs nothing.
 */
volatile __u64 tw_felt_waiting = 0;

/* For settle_felt. */
volatile __u64 tw_felt_socket = 0;

/* Counts a reset that came, and tells of it. `event` has its kind, row and namespace; `conn`: see emit__event. */
static __always_inline void felt__count(const struct tw_event *event, const struct conn *conn)
{
	struct tw_netns *ns = netns__at(event->netns);
	struct tw_row *row = row__at(event->row);

	if (!ns)
		return;
	bucket__count(ns, row, resets_received);
	if (event->kind == TW_EVENT_RESET_FELT)
		bucket__count(ns, row, resets_felt);
	emit__event(event, conn);
}

/*
 * The socket was reset. The reset waits if there is room, and if no other one of this socket waits (connect() may have
 * used the socket again). The caller has the lock of the socket, which its end takes, too.
 */
static __always_inline bool felt__wait(enum tw_access access, struct sock *sk, const struct tw_event *event,
				       const struct conn *conn)
{
	struct tw_felt felt = {.identity = conn__identity(access, &sk->__sk_common)};
	struct kernfs_node *node = owner__set_creator(access, sk, &felt.key);
	u64 address = (u64)sk;

	owner__set_place(&felt.key, conn, event->netns, role__of_socket(access, sk));
	emit__fill(&felt.event, event, conn);
	if (tw_can_probe_read && felt.key.cgroup_id)
		cgroup__intern(tw_untyped(node), felt.key.cgroup_id);
	__sync_fetch_and_add(&tw_felt_waiting, 1);
	if (!bpf_map_update_elem(&felt_resets, &address, &felt, BPF_NOEXIST))
		return true;
	__sync_fetch_and_add(&tw_felt_waiting, -1);
	return false;
}

/* Takes the reset of this socket out, if it waits. */
static __always_inline bool felt__take(u64 address, struct tw_felt *taken)
{
	struct tw_felt *felt = bpf_map_lookup_elem(&felt_resets, &address);

	if (!felt)
		return false;
	*taken = *felt;
	if (bpf_map_delete_elem(&felt_resets, &address))
		return false;
	__sync_fetch_and_add(&tw_felt_waiting, -1);
	return true;
}

static __always_inline u32 felt__row_of_socket(struct tw_row_key *key)
{
	u32 id = row__find(key);

	return id == TW_ROW_NONE ? row__create(key, NULL) : id;
}

/* The socket is destroyed, mostly because its process closes it. */
static __always_inline void felt__on_destroy(enum tw_access access, struct sock *sk)
{
	struct tw_felt felt; /* not cleared: this runs for every socket */

	if (!tw_felt_waiting || !felt__take((u64)sk, &felt))
		return;
	felt.event.row =
	    owner__is_current(access, sk) ? owner__intern_current(&felt.key) : felt__row_of_socket(&felt.key);
	felt__count(&felt.event, NULL);
}

/* A file of a process, as in listener__on_file. The first process that has a socket gets the reset that waits for it.
 */
static __always_inline void felt__on_file(struct task_struct *task, struct file *file, u64 address)
{
	struct tw_felt *waiting = bpf_map_lookup_elem(&felt_resets, &address);
	struct tw_felt felt;

	if (!waiting || !file__is_of(file, address) ||
	    !conn__has_identity(TW_PROBED, (struct sock_common *)address, waiting->identity) ||
	    !felt__take(address, &felt))
		return;
	felt.event.row = owner__intern_task(&felt.key, task);
	felt__count(&felt.event, NULL);
}

/* No process has shown up for the socket tw_felt_socket. */
static __always_inline int felt__settle(void)
{
	struct tw_felt felt;

	if (!felt__take(tw_felt_socket, &felt))
		return 0;
	felt.event.row = felt__row_of_socket(&felt.key);
	felt__count(&felt.event, NULL);
	return 0;
}

#endif /* TWTRACE_FELT_BPF_H */
