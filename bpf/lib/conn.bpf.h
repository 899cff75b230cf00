/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reads struct sock_common, which sockets and buckets have in common. */
#ifndef TWTRACE_CONN_BPF_H
#define TWTRACE_CONN_BPF_H

#include "compat.bpf.h"
#include "maps.bpf.h"
#include <bpf/bpf_endian.h>

struct conn {
	u32 local[4]; /* network order; an IPv4 address is in the first word */
	u32 remote[4];
	u16 local_port; /* host order */
	u16 remote_port;
	u8 family;
};

/* After inet_put_port skc_num is 0, and the caller has to set local_port. */
static __always_inline void conn__read(enum tw_access access, struct sock_common *skc, struct conn *conn)
{
	__builtin_memset(conn, 0, sizeof(*conn));
	conn->family = TW_FAMILY_IPV4;
	conn->local_port = tw_get(access, skc, skc_num);
	conn->remote_port = bpf_ntohs(tw_get(access, skc, skc_dport));
	if (tw_get(access, skc, skc_family) == AF_INET6 && compat__has_ipv6()) {
		conn->remote[0] = tw_get(access, skc, skc_v6_daddr.in6_u.u6_addr32[0]);
		conn->remote[1] = tw_get(access, skc, skc_v6_daddr.in6_u.u6_addr32[1]);
		conn->remote[2] = tw_get(access, skc, skc_v6_daddr.in6_u.u6_addr32[2]);
		conn->remote[3] = tw_get(access, skc, skc_v6_daddr.in6_u.u6_addr32[3]);
		if (conn->remote[0] | conn->remote[1] | (conn->remote[2] ^ bpf_htonl(0xffff))) {
			conn->family = TW_FAMILY_IPV6;
			conn->local[0] = tw_get(access, skc, skc_v6_rcv_saddr.in6_u.u6_addr32[0]);
			conn->local[1] = tw_get(access, skc, skc_v6_rcv_saddr.in6_u.u6_addr32[1]);
			conn->local[2] = tw_get(access, skc, skc_v6_rcv_saddr.in6_u.u6_addr32[2]);
			conn->local[3] = tw_get(access, skc, skc_v6_rcv_saddr.in6_u.u6_addr32[3]);
			return;
		}
		__builtin_memset(conn->remote, 0, sizeof(conn->remote));
	}
	conn->remote[0] = tw_get(access, skc, skc_daddr);
	conn->local[0] = tw_get(access, skc, skc_rcv_saddr);
}

/* DCCP calls inet_twsk_alloc too, up to 6.12. */
static __always_inline bool conn__is_tcp(enum tw_access access, struct sock *sk)
{
	return tw_get(access, sk, sk_protocol) == IPPROTO_TCP;
}

/* sock_orphan has set SOCK_DEAD: no process has the socket any more. */
static __always_inline bool conn__is_orphan(enum tw_access access, struct sock *sk)
{
	return tw_get(access, sk, __sk_common.skc_flags) >> bpf_core_enum_value(enum sock_flags, SOCK_DEAD) & 1;
}

/*
 * Tells a socket from a later one at the same address: by the cookie, which is unique since boot, else by the hash of
 * the four-tuple. Never 0.
 */
#define CONN_IDENTITY_IS_HASH (1ULL << 63)

static __always_inline u64 conn__identity(enum tw_access access, struct sock_common *skc)
{
	u64 cookie = (u64)tw_get(access, skc, skc_cookie.counter);

	return cookie ? cookie : CONN_IDENTITY_IS_HASH | tw_get(access, skc, skc_hash);
}

/* The socket may have got a cookie since (ss -e generates it), so this compares what the identity was made of. */
static __always_inline bool conn__has_identity(enum tw_access access, struct sock_common *skc, u64 identity)
{
	if (identity & CONN_IDENTITY_IS_HASH)
		return (u32)identity == tw_get(access, skc, skc_hash);
	return identity == (u64)tw_get(access, skc, skc_cookie.counter);
}

/*
 * Tells a listening socket from a later one at the same address. Most have neither a cookie nor a hash. So it is the
 * inode number of the file (sock_alloc, get_next_ino), which the kernel gives again only after 2^32 others; for a
 * socket without a file, its address. Needs bpf_probe_read_kernel.
 */
static __always_inline u64 conn__listener_id(struct sock *sk)
{
	struct socket_alloc *file = (struct socket_alloc *)BPF_CORE_READ(sk, sk_socket);

	return file ? BPF_CORE_READ(file, vfs_inode.i_ino) : (u64)sk;
}

static __always_inline bool conn__matches(const struct conn *conn)
{
	return (!tw_match_local_port || tw_match_local_port == conn->local_port) &&
	       (!tw_match_remote_port || tw_match_remote_port == conn->remote_port);
}

#endif /* TWTRACE_CONN_BPF_H */
