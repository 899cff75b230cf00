/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is read of the entries of a table of established connections. */
#ifndef TWTRACE_READ_TABLE_BPF_H
#define TWTRACE_READ_TABLE_BPF_H

#include "conn.bpf.h"
#include "role.bpf.h"
#include "store.bpf.h"
#include "walk.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TW_READ_SOCKETS);
	__type(key, u32);
	__type(value, struct tw_socket_reading);
} socket_readings SEC(".maps");

/* What a run reads once of each namespace, by the low bits of the namespace's address. */
struct table_netns {
	u64 net;
	u64 id;
	u64 reserved_ports; /* address of a bitmap */
	u32 run;
	u16 first_port;
	u16 last_port;
};

#define TABLE_NETNS 256
#define TABLE_NETNS_SHIFT 12 /* a struct net is some 4 KiB */

static struct table_netns table_netns[TABLE_NETNS];
static u8 table_role;       /* of the entry that is looked at; 0: not known, or nobody asked */
static u32 table_own_ports; /* of the entry that is looked at: as in tw_socket_reading */

static __always_inline struct table_netns *table__netns_of(struct net *net)
{
	u64 address = (u64)net;
	struct table_netns *netns = &table_netns[(address >> TABLE_NETNS_SHIFT) & (TABLE_NETNS - 1)];

	if (netns->net == address && netns->run == run_number)
		return netns;
	netns->net = address;
	netns->run = run_number;
	netns->id = compat__net_id(net);
	netns->reserved_ports = (u64)BPF_CORE_READ(net, ipv4.sysctl_local_reserved_ports);
	compat__local_ports(net, &netns->first_port, &netns->last_port);
	return netns;
}

static __always_inline bool table__is_reserved(const struct table_netns *netns, u16 port)
{
	u64 word = 0;

	bpf_probe_read_kernel(&word, sizeof(word), (void *)(netns->reserved_ports + port / 64 * sizeof(word)));
	return word >> (port % 64) & 1;
}

/* Whether connect() may choose the local port in that namespace. */
static __always_inline bool table__is_ephemeral(const struct table_netns *netns, u16 port)
{
	return port >= netns->first_port && port <= netns->last_port && !table__is_reserved(netns, port);
}

/* The bind bucket of the socket's or bucket's local port; NULL: none. A request socket is not a whole socket. */
static __always_inline struct inet_bind_bucket *table__bind_bucket(u32 state, u64 address)
{
	if (state == TCP_NEW_SYN_RECV)
		return NULL;
	if (state == TCP_TIME_WAIT)
		return BPF_CORE_READ((struct inet_timewait_sock *)address, tw_tb);
	return BPF_CORE_READ((struct inet_connection_sock *)address, icsk_bind_hash);
}

/* The role of this end, of a bucket as the tracer knows it; 0: not known. */
static __always_inline u8 table__role(const struct sock_common *common, u64 address)
{
	struct stored stored;
	struct tw_row *row;

	if (common->skc_state == TCP_NEW_SYN_RECV)
		return TW_ROLE_SERVER;
	if (common->skc_state != TCP_TIME_WAIT)
		return role__of(TW_PROBED, (struct inet_sock *)address);
	if (!store__find_bucket((u64)common->skc_cookie.counter, address, &stored))
		return 0;
	row = row__at(stored.bucket->row);
	return row ? row->key.role : 0;
}

/* What the entry says of local ports. Sets its role and its own range. Not inlined: so the verifier looks at it once.
 */
__noinline u32 table__ports(u64 address, u32 is_ephemeral)
{
	const struct sock_common *common = chain__common(&walk_entry);
	struct inet_bind_bucket *bucket = table__bind_bucket(common->skc_state, address);
	bool is_chosen = role__port_was_chosen_by_connect(bucket);
	bool is_bound = bucket && !is_chosen;

	table_role = is_chosen ? TW_ROLE_CLIENT : table__role(common, address);
	if (table_role == TW_ROLE_CLIENT && common->skc_state != TCP_TIME_WAIT)
		table_own_ports = compat__own_ports((struct inet_sock *)address);
	if (!is_ephemeral)
		return is_bound && table_role == TW_ROLE_CLIENT ? TW_READ_OUTSIDE : 0;
	return is_bound ? TW_READ_PORTS | TW_READ_BOUND : TW_READ_PORTS;
}

/* Writes down the entry for user space. */
static __always_inline void table__emit(const struct table_netns *netns, u32 what)
{
	u32 index = tw_walk.filled;
	struct tw_socket_reading *reading = bpf_map_lookup_elem(&socket_readings, &index);
	struct sock_common *common = (struct sock_common *)chain__common(&walk_entry);
	struct conn conn;

	if (!reading)
		return;
	conn__read(TW_DIRECT, common, &conn);
	reading->netns_id = netns->id;
	__builtin_memcpy(reading->local_address, conn.local, sizeof(conn.local));
	__builtin_memcpy(reading->remote_address, conn.remote, sizeof(conn.remote));
	reading->local_port = conn.local_port;
	reading->remote_port = conn.remote_port;
	reading->family = conn.family;
	reading->state = common->skc_state;
	reading->what = (u8)what;
	reading->role = table_role;
	reading->chain = tw_walk.chain;
	reading->own_ports = table_own_ports;
	tw_walk.filled = index + 1;
}

/*
 * Credits a bucket to its row, once per scan, however often the walk reaches it. False if no program saw its creation:
 * its entry may be there only to record why the bucket is about to go.
 */
static __always_inline bool table__credit_bucket(u64 cookie, u64 address)
{
	struct stored stored;
	struct tw_row *row;

	if (!store__find_bucket(cookie, address, &stored))
		return false;
	if (store__mark_counted(&stored)) {
		row = row__at(stored.bucket->row);
		if (row)
			row->scanned++;
	}
	return stored.bucket->created_ns;
}

/* Marks a socket that has sent the first FIN as alive. */
static __always_inline void table__mark_socket(u64 cookie, u64 address)
{
	struct stored stored;

	if (store__look_up_socket(cookie, address, &stored))
		store__mark_scanned(&stored);
}

/* Credits a bucket to its row, or marks a socket. True for a bucket that the tracer knows. Not inlined, as all here. */
__noinline int table__credit(u32 state, u64 cookie, u64 address)
{
	if (state == TCP_TIME_WAIT)
		return table__credit_bucket(cookie, address);
	if (state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2 || state == TCP_CLOSING)
		table__mark_socket(cookie, address);
	return 0;
}

/* Reports what user space has asked about the entry. Not inlined: so the verifier looks at it once. */
__noinline int table__take(u64 address)
{
	const struct sock_common *common = chain__common(&walk_entry);
	const struct table_netns *netns;
	bool known = false;
	u32 what = 0;

	if (tw_walk.what & TW_READ_CREDIT)
		known = table__credit(common->skc_state, (u64)common->skc_cookie.counter, address);
	if (common->skc_state == TCP_TIME_WAIT && !known)
		what = TW_READ_BUCKETS & tw_walk.what;
	if (!what && !(tw_walk.what & TW_READ_PORTS))
		return 0;
	netns = table__netns_of(common->skc_net.net);
	table_role = 0;
	table_own_ports = 0;
	if (tw_walk.what & TW_READ_PORTS && common->skc_dport)
		what |= table__ports(address, table__is_ephemeral(netns, common->skc_num));
	if (!what)
		return 0;
	if (what & TW_READ_BUCKETS && role__port_was_chosen_by_connect(table__bind_bucket(TCP_TIME_WAIT, address)))
		what |= TW_READ_CHOSEN;
	if (common->skc_num < netns->first_port || common->skc_num > netns->last_port)
		what |= TW_READ_FIXED;
	table__emit(netns, what);
	return 0;
}

#endif /* TWTRACE_READ_TABLE_BPF_H */
