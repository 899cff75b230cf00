/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Tells whether this end accepted the connection (server) or made it (client). */
#ifndef TWTRACE_ROLE_BPF_H
#define TWTRACE_ROLE_BPF_H

#include "conn.bpf.h"
#include "intern.bpf.h"

/* Remembers the port for good: at a restart the listener is gone before its buckets come. */
static __always_inline void role__remember_listener(u16 netns, u16 port)
{
	struct tw_listener_key key = {.netns = netns, .port = port};
	u8 one = 1;

	if (bpf_map_lookup_elem(&listeners, &key))
		return;
	if (bpf_map_update_elem(&listeners, &key, &one, BPF_ANY))
		stats__add(listeners_full);
}

/* The socket listens. Its port is 0 at the start of inet_csk_listen_start if listen() has to choose one. */
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
 * Whether connect() chose the port of this bind bucket: then, and only then, fastreuse and fastreuseport are -1
 * (__inet_hash_connect, 5.10 to 7.x; since 6.18 they become -1 again when the last explicit bind() leaves the port,
 * d57f4b874946). So a client is known even if its ephemeral port was a listening port once.
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
	tcp = bpf_skc_to_tcp_sock(sk); /* the verifier takes no cast instead */
	return tcp ? tcp->inet_conn.icsk_bind_hash : NULL;
}

/*
 * The role of a socket that still holds its port. A connected socket with an explicit bind() is a client, because
 * accepted sockets lose SOCK_BINDPORT_LOCK (sk_clone_lock). If neither this nor connect() tells, the listening ports
 * do.
 */
static __always_inline u8 role__of_socket(enum tw_access access, struct sock *sk, u16 netns, u16 local_port)
{
	if (compat__userlocks(access, sk) & SOCK_BINDPORT_LOCK)
		return TW_ROLE_CLIENT;
	if (role__port_was_chosen_by_connect(access, role__bind_bucket(access, sk)))
		return TW_ROLE_CLIENT;
	return role__by_port(netns, local_port);
}

/*
 * The role of a bucket, given by its plain address, that has taken over the socket's port (inet_twsk_hashdance). Needs
 * bpf_probe_read_kernel.
 */
static __always_inline u8 role__of_bucket(struct inet_timewait_sock *tw, u16 netns, u16 local_port)
{
	if (role__port_was_chosen_by_connect(TW_PROBED, BPF_CORE_READ(tw, tw_tb)))
		return TW_ROLE_CLIENT;
	return role__by_port(netns, local_port);
}

#endif /* TWTRACE_ROLE_BPF_H */
