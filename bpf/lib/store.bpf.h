/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Remembers a connection from the FIN that this end sent first until its bucket is gone. No other file knows where:
 *
 *                                        with a slot    without one
 *   a socket, from its FIN to its end    slots          sockets, by the address of the socket
 *   a bucket                             the same       buckets, by the cookie, else by the address of the bucket
 *
 * A connection has no slot if it had no cookie when it sent its FIN, or if another connection held the slot then. Nor
 * does a bucket that is older than twtrace. A socket holds its row until it is forgotten or leaves a bucket.
 */
#ifndef TWTRACE_STORE_BPF_H
#define TWTRACE_STORE_BPF_H

#include "conn.bpf.h"
#include "intern.bpf.h"
#include "slot.bpf.h"

/* Key: struct sock address. Entries are deleted explicitly: an LRU could evict a live owner. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TW_MAX_SOCKETS);
	__type(key, u64);
	__type(value, struct tw_socket);
} sockets SEC(".maps");

/*
 * Key: the cookie, else the bucket's address. Cookies are small numbers and addresses have their top bit set, so the
 * two cannot meet. The loader resizes it to the largest limit.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, u64);
	__type(value, struct tw_bucket);
} buckets SEC(".maps");

/*
 * One connection, wherever it is kept. Nothing is remembered of it if `slot`, `socket` and `bucket` are NULL.
 *
 * Hand copies of `cookie` and `key` to helpers, never their addresses: these would put the whole structure on the
 * stack, where the verifier follows each of its fields through every branch.
 */
struct stored {
	struct tw_slot *slot;     /* the slot that it holds */
	struct tw_socket *socket; /* its entry in `sockets` */
	struct tw_bucket *bucket; /* what is known of its bucket, in the slot or in `buckets`; NULL: it is a socket */
	u64 cookie;               /* 0: none */
	u64 key;                  /* of its entry in a map, or of the entry that it would get */
};

static __always_inline bool store__is_kept(const struct stored *stored)
{
	return stored->slot || stored->socket || stored->bucket;
}

/* --- sockets ---------------------------------------------------------------------------------------------------- */

/* Finds what is kept under this cookie and address. An entry of `sockets` may be of an earlier socket at the address.
 */
static __always_inline bool store__look_up_socket(u64 cookie, u64 address, struct stored *stored)
{
	struct tw_slot *slot = slot__find(cookie);

	stored->slot = NULL;
	stored->socket = NULL;
	stored->bucket = NULL;
	stored->cookie = cookie;
	stored->key = address;
	if (slot && slot__is_of_socket(slot)) {
		stored->slot = slot;
		return true;
	}
	stored->socket = bpf_map_lookup_elem(&sockets, &address);
	return stored->socket;
}

/* The row of whoever closed a socket that is kept. */
static __always_inline u32 store__row(const struct stored *stored)
{
	return stored->slot ? stored->slot->bucket.row : stored->socket->row;
}

/*
 * The namespace of the socket. Only a slot remembers it, and that counts only together with a row: user space gives the
 * number of a namespace to another one when no row has it any more.
 */
static __always_inline u32 store__netns(enum tw_access access, struct sock *sk, const struct stored *stored)
{
	if (stored->slot && stored->slot->bucket.row)
		return stored->slot->bucket.netns;
	return netns__intern(access, tw_get(access, sk, __sk_common.skc_net.net));
}

/* Forgets the socket, if it is kept. */
static __always_inline void store__forget_socket(const struct stored *stored)
{
	u64 address = stored->key;
	u32 row;

	if (!store__is_kept(stored))
		return;
	row = store__row(stored);
	if (stored->slot)
		slot__release(stored->slot);
	else if (bpf_map_delete_elem(&sockets, &address))
		return; /* user space has swept it, and released the row */
	row__release(row);
}

/* Finds the socket. False if nobody was seen sending its FIN, or if it has come to its end. */
static __always_inline bool store__find_socket(enum tw_access access, struct sock *sk, struct stored *stored)
{
	u64 cookie = (u64)tw_get(access, sk, __sk_common.skc_cookie.counter);

	if (!store__look_up_socket(cookie, (u64)sk, stored))
		return false;
	if (stored->slot || conn__has_identity(access, &sk->__sk_common, stored->socket->identity))
		return true;
	store__forget_socket(stored); /* nobody saw the end of the socket that had this address before */
	stored->socket = NULL;
	return false;
}

static __always_inline bool store__remember_in_slot(u64 cookie, u32 row, u32 netns)
{
	struct tw_slot *slot = slot__claim(cookie);

	if (!slot)
		return false;
	slot->bucket.row = row;
	slot->bucket.scan = tw_scan;
	slot->bucket.netns = (u16)netns;
	slot->bucket.substate = 0;
	slot__publish(slot);
	return true;
}

static __always_inline bool store__remember_in_map(enum tw_access access, struct sock *sk, u32 row)
{
	struct tw_socket socket = {.identity = conn__identity(access, &sk->__sk_common), .row = row, .scan = tw_scan};
	u64 address = (u64)sk;
	struct stored before = {.key = address};

	if (!bpf_map_update_elem(&sockets, &address, &socket, BPF_NOEXIST))
		return true;
	before.socket = bpf_map_lookup_elem(&sockets, &address);
	store__forget_socket(&before); /* nobody saw the end of the socket that had this address before */
	return !bpf_map_update_elem(&sockets, &address, &socket, BPF_ANY);
}

/* The socket sends its FIN on behalf of `row`. Its cookie may be younger than what the socket itself says. */
static __always_inline void store__remember_socket(enum tw_access access, struct sock *sk, u64 cookie, u32 row,
						   u32 netns)
{
	row__hold(row);
	if (store__remember_in_slot(cookie, row, netns) || store__remember_in_map(access, sk, row))
		return;
	stats__add(sockets_full);
	row__release(row);
}

/* --- buckets ---------------------------------------------------------------------------------------------------- */

/* The socket has left a bucket at this address. Nothing needs to have been remembered of the socket. */
static __always_inline void store__remember_bucket(const struct stored *stored, u64 address,
						   const struct tw_bucket *bucket)
{
	u64 key = stored->cookie ? stored->cookie : address;

	if (stored->slot) {
		stored->slot->bucket = *bucket;
		row__release(bucket->row);
		return;
	}
	if (stored->socket)
		store__forget_socket(stored);
	if (bpf_map_update_elem(&buckets, &key, bucket, BPF_ANY))
		stats__add(buckets_full);
}

/* The namespace `net` of a bucket. `stored`: what store__find_bucket found. As store__netns. */
static __always_inline u32 store__netns_of_bucket(enum tw_access access, struct net *net, const struct stored *stored)
{
	if (stored->bucket && stored->bucket->row)
		return stored->bucket->netns;
	return netns__intern(access, net);
}

static __always_inline bool store__find_bucket(u64 cookie, u64 address, struct stored *stored)
{
	struct tw_slot *slot = slot__find(cookie);

	stored->slot = NULL;
	stored->socket = NULL;
	stored->cookie = cookie;
	stored->key = cookie;
	if (slot && !slot__is_of_socket(slot)) {
		stored->slot = slot;
		stored->bucket = &slot->bucket;
		return true;
	}
	if (cookie) {
		stored->bucket = bpf_map_lookup_elem(&buckets, &cookie);
		if (stored->bucket)
			return true;
	}
	stored->key = address; /* the cookie may be younger than the entry */
	stored->bucket = bpf_map_lookup_elem(&buckets, &address);
	return stored->bucket;
}

/* Adds a bucket that was not found. Nobody was seen closing it. */
static __always_inline bool store__add_bucket(struct stored *stored, u32 netns)
{
	struct tw_bucket bucket = {.row = TW_ROW_NONE, .scan = tw_scan, .netns = (u16)netns};
	u64 key = stored->key;

	bpf_map_update_elem(&buckets, &key, &bucket, BPF_NOEXIST);
	stored->bucket = bpf_map_lookup_elem(&buckets, &key);
	if (!stored->bucket)
		stats__add(buckets_full);
	return stored->bucket;
}

/* Forgets the bucket, if it is kept. */
static __always_inline void store__forget_bucket(const struct stored *stored)
{
	u64 key = stored->key;

	if (stored->slot)
		slot__release(stored->slot);
	else if (stored->bucket)
		bpf_map_delete_elem(&buckets, &key);
}

/* Whether a bucket of the connection with this cookie is kept. False for cookie 0. */
static __always_inline bool store__knows_bucket(u64 cookie)
{
	struct tw_slot *slot = slot__find(cookie);

	if (slot)
		return !slot__is_of_socket(slot);
	return cookie && bpf_map_lookup_elem(&buckets, &cookie);
}

/*
 * Makes sure that store__knows_bucket will know the bucket of this socket, before one of two programs counts it. False
 * if there is no place: the other program would count the bucket once more.
 */
static __always_inline bool store__reserve_bucket(const struct stored *stored)
{
	struct tw_bucket bucket = {.row = TW_ROW_NONE, .scan = tw_scan};
	u64 cookie = stored->cookie;

	return stored->slot || bpf_map_lookup_elem(&buckets, &cookie) ||
	       !bpf_map_update_elem(&buckets, &cookie, &bucket, BPF_NOEXIST);
}

/* --- both ------------------------------------------------------------------------------------------------------- */

/* The running scan has found it alive. */
static __always_inline void store__mark_scanned(const struct stored *stored)
{
	if (stored->slot)
		stored->slot->bucket.scan = tw_scan;
	else if (stored->socket)
		stored->socket->scan = tw_scan;
	else
		stored->bucket->scan = tw_scan;
}

/* The running scan counts the bucket for its row. False if it has done so before. */
static __always_inline bool store__mark_counted(const struct stored *stored)
{
	u32 counted = tw_scan | TW_SCAN_COUNTED;

	if (stored->bucket->scan == counted)
		return false;
	stored->bucket->scan = counted;
	return true;
}

#endif /* TWTRACE_STORE_BPF_H */
