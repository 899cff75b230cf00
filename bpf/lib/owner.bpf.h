/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Finds out who closes a connection first: whose close(), shutdown(SHUT_WR) or exit sends the first FIN. */
#ifndef TWTRACE_OWNER_BPF_H
#define TWTRACE_OWNER_BPF_H

#include "intern.bpf.h"
#include "process.bpf.h"
#include "role.bpf.h"
#include "store.bpf.h"

/* The cgroup of a process: returns its id (0: unknown) and sets its node. */
static __always_inline u64 owner__process_cgroup(struct task_struct *leader, struct kernfs_node **node)
{
	struct css_set *cset;
	struct cgroup *cgrp;

	if (tw_cgroup_v1) {
		if (!tw_can_probe_read)
			return 0;
		*node = compat__named_cgroup(leader);
		return BPF_CORE_READ(*node, id);
	}
	cset = compat__task_get(leader, cgroups);
	cgrp = compat__task_get(cset, dfl_cgrp);
	*node = compat__task_get(cgrp, kn);
	return compat__task_get(*node, id);
}

/* Sets what the socket tells of the key. */
static __always_inline void owner__set_place(struct tw_row_key *key, const struct conn *conn, u32 netns, u8 role)
{
	key->netns = (u16)netns;
	key->role = role;
	key->port = role == TW_ROLE_SERVER ? conn->local_port : conn->remote_port;
	key->family = conn->family;
	key->matched = conn__matches(conn);
}

/* The row of a process. */
static __always_inline u32 owner__intern_process(struct tw_row_key *key, struct task_struct *leader, u32 tgid, u32 uid)
{
	struct kernfs_node *node = NULL;
	u32 id;

	key->attribution = TW_ATTRIBUTION_CLOSER;
	key->tgid = tgid;
	key->uid = uid;
	key->start_ns = compat__task_get(leader, start_boottime);
	key->exec_id = compat__task_get(leader, self_exec_id);
	key->cgroup_id = owner__process_cgroup(leader, &node);
	id = row__find(key);
	if (id != TW_ROW_NONE)
		return id;
	if (tw_can_probe_read)
		cgroup__intern(tw_untyped(node), key->cgroup_id);
	process__remember(leader, key->tgid, key->start_ns);
	return row__create(key, leader);
}

/* The row of the running process. */
static __always_inline u32 owner__intern_current(struct tw_row_key *key)
{
	return owner__intern_process(key, compat__current(group_leader), (u32)(bpf_get_current_pid_tgid() >> 32),
				     (u32)bpf_get_current_uid_gid());
}

/* The row of the process of this thread. Needs bpf_probe_read_kernel. */
static __always_inline u32 owner__intern_task(struct tw_row_key *key, struct task_struct *task)
{
	return owner__intern_process(key, task->group_leader, (u32)BPF_CORE_READ(task, tgid),
				     BPF_CORE_READ(task, group_leader, cred, uid.val));
}

/* The cgroup v2 of whoever created the socket: returns its id (0: unknown) and sets its node. */
static __always_inline u64 owner__socket_cgroup(enum tw_access access, struct sock *sk, struct kernfs_node **node)
{
	struct cgroup *cgrp;

	if (tw_cgroup_v1) /* a socket does not remember a v1 cgroup */
		return 0;
	cgrp = compat__sock_cgroup(access, sk);
	if (!cgrp)
		return 0;
	if (access == TW_DIRECT && compat__sock_cgroup_is_typed()) {
		*node = cgrp->kn;
		return (*node)->id;
	}
	if (!tw_can_probe_read)
		return 0;
	*node = BPF_CORE_READ(cgrp, kn);
	return BPF_CORE_READ(*node, id);
}

/* Sets what the socket remembers of its creator: a service and a uid, but no process. Returns the cgroup's node. */
static __always_inline struct kernfs_node *owner__set_creator(enum tw_access access, struct sock *sk,
							      struct tw_row_key *key)
{
	struct kernfs_node *node = NULL;

	key->attribution = TW_ATTRIBUTION_CGROUP;
	key->uid = tw_get(access, sk, sk_uid.val);
	key->cgroup_id = owner__socket_cgroup(access, sk, &node);
	return node;
}

/* The row of whoever created the socket. */
static __always_inline u32 owner__intern_socket(enum tw_access access, struct sock *sk, struct tw_row_key *key)
{
	struct kernfs_node *node = owner__set_creator(access, sk, key);
	u32 id = row__find(key);

	if (id != TW_ROW_NONE)
		return id;
	if (tw_can_probe_read && key->cgroup_id)
		cgroup__intern(tw_untyped(node), key->cgroup_id);
	return row__create(key, NULL);
}

/*
 * Whether the running task is the one that closes. Kernel threads close on behalf of others (MPTCP subflows, deferred
 * close). And if a Fast Open connection is shut down before its handshake ends, the kernel sends the FIN afterwards in
 * softirq (tcp_rcv_state_process since 6.9, 94062790aedb), where nobody owns the socket.
 */
static __always_inline bool owner__is_current(enum tw_access access, struct sock *sk)
{
	u32 flags = compat__current(flags);

	return !(flags & PF_KTHREAD) && tw_get(access, sk, sk_lock.owned);
}

/* tcp_send_fin runs in LAST_ACK too, where the peer has closed first. */
static __always_inline bool owner__sends_first_fin(enum tw_access access, struct sock *sk)
{
	return tw_get(access, sk, __sk_common.skc_state) == TCP_FIN_WAIT1 && conn__is_tcp(access, sk);
}

/* The socket moves to FIN_WAIT1. Mostly its owner is running; if not, the socket tells more than the running task. */
static __always_inline void owner__on_fin(enum tw_access access, struct sock *sk)
{
	u32 netns = netns__intern(access, tw_get(access, sk, __sk_common.skc_net.net));
	struct tw_row_key key = {};
	struct conn conn;
	u32 row;

	conn__read(access, &sk->__sk_common, &conn);
	owner__set_place(&key, &conn, netns, role__of_socket(access, sk));
	row = owner__is_current(access, sk) ? owner__intern_current(&key) : owner__intern_socket(access, sk, &key);
	store__remember_socket(access, sk, compat__socket_cookie(access, sk), row, netns);
}

/* The socket is destroyed or disconnected. If it is still remembered, it has left no bucket. */
static __always_inline void owner__forget(enum tw_access access, struct sock *sk)
{
	struct stored stored;

	store__look_up_socket((u64)tw_get(access, sk, __sk_common.skc_cookie.counter), (u64)sk, &stored);
	store__forget_socket(&stored);
}

#endif /* TWTRACE_OWNER_BPF_H */
