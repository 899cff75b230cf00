/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Server or client: did this end accept the connection, or make it? */
#ifndef TWTRACE_ROLE_BPF_H
#define TWTRACE_ROLE_BPF_H

#include "conn.bpf.h"
#include "intern.bpf.h"

/* Remembered for good: at a restart the listener is gone before its TIME_WAITs come. */
static __always_inline void role__remember_listener(u16 netns, u16 port)
{
	struct tw_listener_key key = {.netns = netns, .port = port};
	u8 one = 1;

	if (bpf_map_lookup_elem(&listeners, &key))
		return;
	if (bpf_map_update_elem(&listeners, &key, &one, BPF_ANY))
		stats__add(listeners_full);
}

/* A socket listens. At the start of inet_csk_listen_start its port may still be 0: listen() chooses one then. */
static __always_inline void role__on_listen(enum tw_access access, struct sock *sk)
{
	u16 port = tw_get(access, sk, __sk_common.skc_num);

	if (port && conn__is_tcp(access, sk))
		role__remember_listener((u16)netns__intern(access, tw_get(access, sk, __sk_common.skc_net.net)), port);
}

static __always_inline u8 role__by_port(u16 netns, u16 local_port)
{
	struct tw_listener_key key = {.netns = netns, .port = local_port};

	return bpf_map_lookup_elem(&listeners, &key) ? TW_ROLE_SERVER : TW_ROLE_CLIENT;
}

/*
 * A port that connect() chose has a bind bucket with fastreuse and fastreuseport -1, and only such buckets
 * (__inet_hash_connect, 5.10 to 7.x; 6.18 restores the mark when the last explicit bind leaves, d57f4b874946). So a
 * client is known even when its ephemeral port once was a listening port.
 */
static __always_inline bool role__port_was_chosen_by_connect(enum tw_access access, struct inet_bind_bucket *tb)
{
	return tb && tw_get(access, tb, fastreuse) < 0 && tw_get(access, tb, fastreuseport) < 0;
}

static __always_inline struct inet_bind_bucket *role__bind_bucket(enum tw_access access, struct sock *sk)
{
	struct tcp_sock *tcp;

	if (access == TW_PROBED)
		return BPF_CORE_READ((struct inet_connection_sock *)sk, icsk_bind_hash);
	tcp = bpf_skc_to_tcp_sock(sk); /* the verifier takes no cast for it */
	return tcp ? tcp->inet_conn.icsk_bind_hash : NULL;
}

/*
 * While the socket still holds its port. A socket with an explicit bind() that is connected is a client: accepted
 * sockets lose SOCK_BINDPORT_LOCK in sk_clone_lock. Without these facts the listening ports decide.
 */
static __always_inline u8 role__of_socket(enum tw_access access, struct sock *sk, u16 netns, u16 local_port)
{
	if (compat__userlocks(access, sk) & SOCK_BINDPORT_LOCK)
		return TW_ROLE_CLIENT;
	if (role__port_was_chosen_by_connect(access, role__bind_bucket(access, sk)))
		return TW_ROLE_CLIENT;
	return role__by_port(netns, local_port);
}

/* From the minisock, a plain address, once inet_twsk_hashdance has given it the socket's port. */
static __always_inline u8 role__of_bucket(struct inet_timewait_sock *tw, u16 netns, u16 local_port)
{
	if (role__port_was_chosen_by_connect(TW_PROBED, BPF_CORE_READ(tw, tw_tb)))
		return TW_ROLE_CLIENT;
	return role__by_port(netns, local_port);
}

#endif /* TWTRACE_ROLE_BPF_H */
