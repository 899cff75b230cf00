/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Gives namespaces, rows and cgroups a number when they are first seen. Everything else refers to the number. */
#ifndef TWTRACE_INTERN_BPF_H
#define TWTRACE_INTERN_BPF_H

#include "compat.bpf.h"
#include "maps.bpf.h"
#include "ports.bpf.h"

/*
 * Makes stores before it visible before stores after it, on arm64 too. BPF has an instruction for that since 6.15 only
 * (880442305a39). But an unlock followed by a lock on the same CPU has the same effect (tools/memory-model,
 * unlock(A)+lock(B)). A peek takes the lock of the stack. So call this right after bpf_map_update_elem of a hash, which
 * ends in an unlock.
 */
static __always_inline void intern__order_stores(void)
{
	u32 ignored;

	bpf_map_peek_elem(&free_rows, &ignored);
}

static __always_inline struct tw_netns *netns__at(u32 slot)
{
	return bpf_map_lookup_elem(&namespaces, &slot);
}

/*
 * The number of a namespace; TW_NETNS_OTHER if there is no room. The kernel reuses inode numbers at once. So where a
 * namespace has no cookie, hash_mix tells it from the one that had the inode number before: it is random, and stays for
 * the life of the namespace.
 */
static __always_inline u32 netns__intern(enum tw_access access, struct net *net)
{
	u32 inum = tw_get(access, net, ns.inum);
	u64 key = compat__has_net_cookie() ? compat__net_cookie(access, net)
					   : (u64)tw_get(access, net, hash_mix) << 32 | inum;
	u32 *known = bpf_map_lookup_elem(&netns_ids, &key);
	struct tw_netns *ns;
	u32 slot;

	if (known)
		return *known;
	if (bpf_map_pop_elem(&free_netns, &slot)) {
		stats__add(netns_full);
		return TW_NETNS_OTHER;
	}
	ns = netns__at(slot);
	if (!ns)
		return TW_NETNS_OTHER;
	ns->id = key;
	ns->inum = inum;
	if (bpf_map_update_elem(&netns_ids, &key, &slot, BPF_NOEXIST)) {
		/* Another CPU was first, or this CPU was interrupted while it held the lock. */
		bpf_map_push_elem(&free_netns, &slot, BPF_ANY);
		known = bpf_map_lookup_elem(&netns_ids, &key);
		return known ? *known : TW_NETNS_OTHER;
	}
	intern__order_stores();
	ns->in_use = 1;
	return slot;
}

/* Writes the names of a path from the leaf up. The root of the hierarchy has an empty name. */
static __always_inline void cgroup__write_path(struct kernfs_node *node, struct tw_cgroup *out)
{
	u64 used = 0; /* 64 bits: the verifier of 5.10 loses the bound of a 32-bit copy */
	u32 truncated = 0;
	int i;

	for (i = 0; i < TW_CGROUP_DEPTH; i++) {
		struct kernfs_node *parent = compat__kernfs_parent(node);
		long length;

		if (!parent)
			break;
		barrier_var(used);
		if (used > TW_CGROUP_TEXT_LEN - TW_CGROUP_NAME_LEN) {
			truncated = 1;
			break;
		}
		length = bpf_probe_read_kernel_str(&out->text[used], TW_CGROUP_NAME_LEN, BPF_CORE_READ(node, name));
		if (length <= 0 || length > TW_CGROUP_NAME_LEN)
			break;
		truncated |= (u32)((u64)length / TW_CGROUP_NAME_LEN); /* a name that fills its room was cut */
		used += (u64)length;
		node = parent;
	}
	if (i == TW_CGROUP_DEPTH)
		truncated = 1;
	if (!used) { /* the root itself */
		out->text[0] = 0;
		used = 1;
	}
	out->truncated = truncated;
	out->length = (u32)used;
}

static const struct tw_cgroup empty_cgroup;

/*
 * Remembers the path of a cgroup once, while the cgroup exists for certain: a transient scope is often gone before user
 * space could look. `node` is the address of its kernfs_node.
 *
 * It is a global function, neither inlined nor static, so that the verifier checks the walk once, and not for each way
 * that leads here. Before 6.8 the verifier checks it even if no caller can reach it, so it repeats the test of its
 * callers.
 */
__noinline int cgroup__intern(u64 node, u64 id)
{
	struct tw_cgroup *entry;

	if (!tw_can_probe_read || !id || bpf_map_lookup_elem(&cgroups, &id))
		return 0;
	if (bpf_map_update_elem(&cgroups, &id, &empty_cgroup, BPF_NOEXIST)) {
		if (!bpf_map_lookup_elem(&cgroups, &id)) /* else another CPU was first */
			stats__add(cgroups_full);
		return 0;
	}
	entry = bpf_map_lookup_elem(&cgroups, &id);
	if (entry)
		cgroup__write_path((struct kernfs_node *)node, entry);
	return 0;
}

static __always_inline struct tw_row *row__at(u32 id)
{
	return id == TW_ROW_NONE ? NULL : bpf_map_lookup_elem(&rows, &id);
}

static __always_inline u32 row__find(const struct tw_row_key *key)
{
	u32 *known = bpf_map_lookup_elem(&row_ids, key);

	return known ? *known : TW_ROW_NONE;
}

/*
 * Makes a row; TW_ROW_NONE if there is no room. `leader` names the process; NULL: the row stands for no process. If the
 * owner has too many rows, its port becomes TW_PORT_MANY, and there may be a row of that already.
 */
static __always_inline u32 row__create(struct tw_row_key *key, struct task_struct *leader)
{
	u32 place = (u32)ports__place(ports__hash(key));
	u16 port = key->port;
	struct tw_row *row;
	u32 id;

	if (key->port != TW_PORT_MANY && ports__are_many(place)) {
		key->port = TW_PORT_MANY;
		id = row__find(key);
		if (id != TW_ROW_NONE) {
			ports__note(id, port);
			return id;
		}
	}
	if (bpf_map_pop_elem(&free_rows, &id)) {
		stats__add(rows_full);
		return TW_ROW_NONE;
	}
	row = row__at(id);
	if (!row)
		return TW_ROW_NONE;
	row->key = *key;
	row->first_ns = bpf_ktime_get_boot_ns();
	row->owner = (u16)place;
	row->many = key->port == TW_PORT_MANY && key->role != TW_ROLE_NONE ? ports__take_place() : 0;
	if (!leader) /* another CPU may have given the row back with a name in it */
		__builtin_memset(row->comm, 0, sizeof(row->comm));
	else
		compat__read_comm(leader, row->comm);
	if (bpf_map_update_elem(&row_ids, key, &id, BPF_NOEXIST)) {
		ports__give_back_place(row->many);
		bpf_map_push_elem(&free_rows, &id, BPF_ANY);
		id = row__find(key); /* another CPU was first */
		if (id == TW_ROW_NONE)
			stats__add(rows_busy);
		else
			ports__note(id, port);
		return id;
	}
	ports__note(id, port);
	intern__order_stores();
	ports__add(place);
	row->in_use = 1;
	return id;
}

/* Keeps user space from giving the row to another owner while one of its sockets is between FIN and end. */
static __always_inline void row__hold(u32 id)
{
	struct tw_row *row = row__at(id);

	if (row)
		__sync_fetch_and_add(&row->pending, 1);
}

static __always_inline void row__release(u32 id)
{
	struct tw_row *row = row__at(id);

	if (row)
		__sync_fetch_and_add(&row->pending, -1);
}

/* User space asks for TW_FREE_SLOTS_PER_RUN numbers, of rows or of namespaces, from this one on. */
volatile __u32 tw_free_slot_first = 0;
volatile __u32 tw_free_slot_is_netns = 0;

/* Pushes the highest number first, because a stack returns what came last. Number 0 stands for none. */
static __always_inline int intern__push_free_slots(void)
{
	u32 first = tw_free_slot_first;
	u32 i, slot;

	for (i = 0; i < TW_FREE_SLOTS_PER_RUN; i++) {
		slot = first + TW_FREE_SLOTS_PER_RUN - 1 - i;
		if (slot == 0)
			return 0;
		if (tw_free_slot_is_netns ? bpf_map_push_elem(&free_netns, &slot, BPF_ANY)
					  : bpf_map_push_elem(&free_rows, &slot, BPF_ANY))
			return -1;
	}
	return 0;
}

#endif /* TWTRACE_INTERN_BPF_H */
