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

/* What is read of a namespace once a run, by the low bits of its address. */
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

/* Whether the connection takes one of the ports that connect() chooses from. */
static __always_inline bool table__takes_port(const struct table_netns *netns, const struct sock_common *common)
{
	u16 port = common->skc_num;

	return common->skc_dport && port >= netns->first_port && port <= netns->last_port &&
	       !table__is_reserved(netns, port);
}

static __always_inline bool table__was_chosen_by_connect(u64 bucket)
{
	return role__port_was_chosen_by_connect(BPF_CORE_READ((struct inet_timewait_sock *)bucket, tw_tb));
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
	reading->reserved = 0;
	reading->chain = tw_walk.chain;
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

/* Whether the tracer knows the bucket that a bucket or socket is. Not inlined, as everything here. */
__noinline int table__credit(u32 state, u64 cookie, u64 address)
{
	if (state == TCP_TIME_WAIT)
		return table__credit_bucket(cookie, address);
	if (state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2 || state == TCP_CLOSING)
		table__mark_socket(cookie, address);
	return 0;
}

/* Says of the entry what was asked for. Not inlined: so the verifier looks at it once. */
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
	if (tw_walk.what & TW_READ_PORTS && table__takes_port(netns, common))
		what |= TW_READ_PORTS;
	if (!what)
		return 0;
	if (what & TW_READ_BUCKETS && table__was_chosen_by_connect(address))
		what |= TW_READ_CHOSEN;
	if (common->skc_num < netns->first_port || common->skc_num > netns->last_port)
		what |= TW_READ_FIXED;
	table__emit(netns, what);
	return 0;
}

#endif /* TWTRACE_READ_TABLE_BPF_H */
