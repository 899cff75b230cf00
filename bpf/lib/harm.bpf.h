/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counts who is hurt: a connect() or bind() that finds no free local port, and connections that a reset ends. */
#ifndef TWTRACE_HARM_BPF_H
#define TWTRACE_HARM_BPF_H

#include "bucket.bpf.h"
#include "felt.bpf.h"
#include "listener.bpf.h"

/* uapi/asm-generic/errno.h */
#define EADDRNOTAVAIL 99

/* The system call that found no free local port. */
enum no_port_call {
	NO_PORT_CONNECT, /* every port towards the destination is taken */
	NO_PORT_BIND,    /* to port 0, before there is a destination: its row and its event have port 0 */
};

/* A system call of the running process fails for want of a port. */
static __always_inline void harm__on_no_port(enum tw_access access, enum no_port_call call, struct sock *sk)
{
	u32 netns = netns__intern(access, tw_get(access, sk, __sk_common.skc_net.net));
	struct tw_event event = {.kind = TW_EVENT_NO_PORT, .netns = (u16)netns};
	struct tw_netns *ns = netns__at(netns);
	struct tw_row_key key = {};
	struct tw_row *row;
	struct conn conn;

	if (!ns)
		return;
	conn__read(access, &sk->__sk_common, &conn);
	owner__set_place(&key, &conn, netns, call == NO_PORT_BIND ? TW_ROLE_NONE : TW_ROLE_CLIENT);
	event.row =
	    owner__is_current(access, sk) ? owner__intern_current(&key) : owner__intern_socket(access, sk, &key);
	row = row__at(event.row);
	bucket__count(ns, row, no_port);
	if (call == NO_PORT_BIND)
		bucket__count(ns, row, no_port_bind);
	event.time_ns = bpf_ktime_get_boot_ns();
	emit__event(&event, &conn);
}

/*
 * inet_hash_connect or inet6_hash_connect returned `ret`. A socket that bind() gave a port has a number: its connect()
 * fails because that one port is taken, not because none is free.
 */
static __always_inline void harm__on_hash_connect(struct sock *sk, int ret)
{
	if (ret == -EADDRNOTAVAIL && !sk->__sk_common.skc_num && conn__is_tcp(TW_DIRECT, sk))
		harm__on_no_port(TW_DIRECT, NO_PORT_CONNECT, sk);
}

/*
 * inet_csk_get_port returned `ret`: 1 up to 5.18, -EADDRINUSE later. If it was to choose the port, it fails only when
 * every port is taken. It chooses for bind() to port 0, and for listen() without bind().
 */
static __always_inline void harm__on_get_port(enum tw_access access, struct sock *sk, u16 port, int ret)
{
	if (ret && !port && conn__is_tcp(access, sk))
		harm__on_no_port(access, NO_PORT_BIND, sk);
}

/*
 * A socket leaves SYN_SENT for CLOSE. It has never had a source port if connect() found none (tcp_v4_connect,
 * tcp_v6_connect, 5.10 to 7.x). Otherwise inet_put_port has cleared skc_num, but not inet_sport.
 */
static __always_inline void harm__on_failed_connect(enum tw_access access, struct sock *sk)
{
	struct tcp_sock *tcp = access == TW_DIRECT ? bpf_skc_to_tcp_sock(sk) : (struct tcp_sock *)sk;

	if (tcp && !tw_get(access, tcp, inet_conn.icsk_inet.inet_sport))
		harm__on_no_port(access, NO_PORT_CONNECT, sk);
}

/* sock:inet_sock_set_state, for a backend that uses it only to see this. */
static __always_inline void harm__on_state_change(struct sock *sk, int from, int to)
{
	if (to != TCP_CLOSE || !conn__is_tcp(TW_PROBED, sk))
		return;
	if (from == TCP_SYN_SENT)
		harm__on_failed_connect(TW_PROBED, sk);
	else if (from == TCP_LISTEN)
		listener__on_close((u64)sk);
}

/*
 * tcp_reset ends the connection. A process notices if it still has the socket, that is, unless the socket is an
 * orphan. A refused connect() has lost no connection, and AttemptFails counts it.
 */
static __always_inline void harm__on_reset_received(enum tw_access access, struct sock *sk)
{
	struct tw_event event = {.kind = TW_EVENT_RESET_RECEIVED};
	struct stored stored;
	struct conn conn;

	if (tw_get(access, sk, __sk_common.skc_state) == TCP_SYN_SENT)
		return;
	if (!conn__is_orphan(access, sk))
		event.kind = TW_EVENT_RESET_FELT;
	event.time_ns = bpf_ktime_get_boot_ns();
	event.cookie = (u64)tw_get(access, sk, __sk_common.skc_cookie.counter);
	conn__read(access, &sk->__sk_common, &conn);
	if (store__find_socket(access, sk, &stored)) {
		event.netns = (u16)store__netns(access, sk, &stored);
		event.row = store__row(&stored);
	} else {
		event.netns = (u16)netns__intern(access, tw_get(access, sk, __sk_common.skc_net.net));
		if (event.kind == TW_EVENT_RESET_FELT && felt__wait(access, sk, &event, &conn))
			return;
		event.row = bucket__row_of_socket(access, sk, &conn, event.netns, role__of_socket(access, sk));
	}
	felt__count(&event, &conn);
}

#endif /* TWTRACE_HARM_BPF_H */
