/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Tells whether this end accepted the connection (server) or made it (client). */
#ifndef TWTRACE_ROLE_BPF_H
#define TWTRACE_ROLE_BPF_H

#include "compat.bpf.h"
#include <twtrace/abi.h>

/*
 * The socket itself records how it was made. If a listening socket made it, its multicast interface is the one on which
 * the handshake arrived (mc_index in tcp_v4_syn_recv_sock, mcast_oif in tcp_v6_syn_recv_sock, 5.10 to 7.x). Otherwise
 * it has none, and nobody can set one: IP_MULTICAST_IF and IPV6_MULTICAST_IF refuse stream sockets. So the role does
 * not depend on who listens now, or on which port.
 */
static __always_inline u8 role__of(enum tw_access access, struct inet_sock *inet)
{
	struct ipv6_pinfo *ipv6;

	if (tw_get(access, inet, mc_index))
		return TW_ROLE_SERVER;
	if (!compat__has_ipv6())
		return TW_ROLE_CLIENT;
	ipv6 = tw_get(access, inet, pinet6);
	return ipv6 && tw_get(access, ipv6, mcast_oif) ? TW_ROLE_SERVER : TW_ROLE_CLIENT;
}

static __always_inline u8 role__of_socket(enum tw_access access, struct sock *sk)
{
	struct tcp_sock *tcp;

	if (access == TW_PROBED)
		return role__of(TW_PROBED, (struct inet_sock *)sk);
	tcp = bpf_skc_to_tcp_sock(sk); /* the verifier takes no cast instead */
	return tcp ? role__of(TW_DIRECT, &tcp->inet_conn.icsk_inet) : TW_ROLE_CLIENT;
}

/*
 * Whether connect() chose the port of this bind bucket: then, and only then, fastreuse and fastreuseport are -1
 * (__inet_hash_connect, 5.10 to 7.x; since 6.18 they become -1 again when the last explicit bind() leaves the port,
 * d57f4b874946). This tells clients where only a bucket is left.
 */
static __always_inline bool role__port_was_chosen_by_connect(struct inet_bind_bucket *tb)
{
	return tb && BPF_CORE_READ(tb, fastreuse) < 0 && BPF_CORE_READ(tb, fastreuseport) < 0;
}

#endif /* TWTRACE_ROLE_BPF_H */
