/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Namespaces, rows and cgroups get a slot when they are first seen; everything else refers to the slot. */
#ifndef TWTRACE_INTERN_BPF_H
#define TWTRACE_INTERN_BPF_H

#include "compat.bpf.h"
#include "maps.bpf.h"

/*
 * Stores before it are seen before stores after it, also where the processor may reorder them (arm64). Older kernels
 * have no BPF instruction for that, but a lock taken after another was released on the same CPU does it
 * (unlock(A)+lock(B) of tools/memory-model). So call it after bpf_map_update_elem of a hash, which ends in an unlock: a
 * look at the top of a stack takes the stack's lock.
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
 * Slot of a namespace: TW_NETNS_OTHER when there is no room. Inode numbers are given again at once; without a cookie,
 * hash_mix (random, for the life of the namespace) tells a namespace from the one that had its number before.
 */
static __always_inline u32 netns__intern(enum tw_access access, struct net *net)
{
	u64 cookie = compat__net_cookie(access, net);
	u32 inum = tw_get(access, net, ns.inum);
	u64 key = compat__has_net_cookie() ? cookie : (u64)tw_get(access, net, hash_mix) << 32 | inum;
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
	ns->cookie = cookie;
	ns->inum = inum;
	if (bpf_map_update_elem(&netns_ids, &key, &slot, BPF_NOEXIST)) {
		/* Another CPU was first, or the bucket lock is held below us on this CPU. */
		bpf_map_push_elem(&free_netns, &slot, BPF_ANY);
		known = bpf_map_lookup_elem(&netns_ids, &key);
		return known ? *known : TW_NETNS_OTHER;
	}
	intern__order_stores();
	ns->in_use = 1;
	return slot;
}

/* The namespace of the running process gets a slot before its first event. */
static __always_inline u32 netns__intern_current(void)
{
	struct nsproxy *nsproxy = compat__current(nsproxy);

	if (tw_has_task_btf)
		return netns__intern(TW_DIRECT, nsproxy->net_ns);
	return netns__intern(TW_PROBED, BPF_CORE_READ(nsproxy, net_ns));
}

/* Writes the names from the leaf up; the empty name of the hierarchy's root ends the path. */
static __always_inline void cgroup__write_path(struct kernfs_node *node, struct tw_cgroup *out)
{
	u64 used = 0; /* 64 bits: older verifiers lose the bound of a 32-bit copy */
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
		truncated |= (u32)((u64)length / TW_CGROUP_NAME_LEN); /* a name that fills its part was cut */
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
 * Remembers the path of a cgroup while it certainly exists: a transient scope is often gone before user space could
 * look. Once per cgroup. `node` is the address of its kernfs_node. Not inlined, and not static: so the verifier looks
 * at the walk once, and not again for each way in which a caller may get here. Before 6.8 it looks at it even where no
 * caller can get here: so what the callers know is asked again.
 */
__noinline int cgroup__intern(u64 node, u64 id)
{
	struct tw_cgroup *entry;

	if (!tw_can_probe_read || !id || bpf_map_lookup_elem(&cgroups, &id))
		return 0;
	if (bpf_map_update_elem(&cgroups, &id, &empty_cgroup, BPF_NOEXIST)) {
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

/* A new row; `leader` names it, NULL for rows that stand for no process. TW_ROW_NONE when there is no room. */
static __always_inline u32 row__create(const struct tw_row_key *key, struct task_struct *leader)
{
	struct tw_row *row;
	u32 id;

	if (bpf_map_pop_elem(&free_rows, &id)) {
		stats__add(rows_full);
		return TW_ROW_NONE;
	}
	row = row__at(id);
	if (!row)
		return TW_ROW_NONE;
	row->key = *key;
	row->first_ns = bpf_ktime_get_boot_ns();
	if (!leader) /* the slot may be one that another CPU gave back with a name in it */
		__builtin_memset(row->comm, 0, sizeof(row->comm));
	else
		compat__read_comm(leader, row->comm);
	if (bpf_map_update_elem(&row_ids, key, &id, BPF_NOEXIST)) {
		bpf_map_push_elem(&free_rows, &id, BPF_ANY);
		id = row__find(key); /* another CPU was first */
		if (id == TW_ROW_NONE)
			stats__add(rows_busy);
		return id;
	}
	intern__order_stores();
	row->in_use = 1;
	return id;
}

/* A row with sockets between FIN and end must not be recycled. */
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

/*
 * First of the TW_FREE_SLOTS_PER_RUN slots of the run below, and whether it is one of the namespaces. Slot 0 stands for
 * none in both.
 */
volatile __u32 tw_free_slot_first = 0;
volatile __u32 tw_free_slot_is_netns = 0;

/* The highest slot goes first, because a stack gives back what came last. */
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
