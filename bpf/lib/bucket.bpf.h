/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The life of a bucket: created, refused, removed. Every backend ends in these functions. */
#ifndef TWTRACE_BUCKET_BPF_H
#define TWTRACE_BUCKET_BPF_H

#include "emit.bpf.h"
#include "owner.bpf.h"

/* How one connection ended, as a backend found it. */
struct outcome {
	u64 bucket; /* address of the minisock; 0 when it was refused */
	u64 cookie; /* of the minisock */
	u32 limit;  /* of the namespace, at that moment */
	u32 count;
	u8 substate; /* asked for: TW_SUBSTATE_* */
	u8 role;     /* of a connection that nobody was seen closing */
};

/* The same counter of the namespace's total and of the row, or of the unattributed part. */
#define bucket__count(ns, row, field)                                                                                  \
	do {                                                                                                           \
		__sync_fetch_and_add(&(ns)->total.field, 1);                                                           \
		if (row)                                                                                               \
			__sync_fetch_and_add(&(row)->counts.field, 1);                                                 \
		else                                                                                                   \
			__sync_fetch_and_add(&(ns)->unattributed.field, 1);                                            \
	} while (0)

/*
 * inet_twsk_alloc refuses when count >= limit; any other refusal is a failed allocation. The test in the kernel is not
 * atomic and the count may have fallen since, so a count just below the limit still means the limit.
 */
#define AT_LIMIT_SLACK 8

static __always_inline bool bucket__was_at_limit(const struct outcome *outcome)
{
	return outcome->count + AT_LIMIT_SLACK >= outcome->limit;
}

static __always_inline u8 bucket__count_refusal(struct tw_netns *ns, struct tw_row *row, const struct outcome *outcome)
{
	if (!bucket__was_at_limit(outcome)) {
		bucket__count(ns, row, no_memory);
		return TW_EVENT_NO_MEMORY;
	}
	if (outcome->substate == TW_SUBSTATE_FIN_WAIT2)
		bucket__count(ns, row, overflow_fin_wait2);
	else
		bucket__count(ns, row, overflow_time_wait);
	return TW_EVENT_OVERFLOW;
}

static __always_inline void bucket__write(struct tw_bucket *bucket, const struct outcome *outcome,
					  const struct conn *conn, u64 now)
{
	bucket->created_ns = now;
	bucket->scan = tw_scan;
	bucket->local_port = conn->local_port;
	bucket->remote_port = conn->remote_port;
	bucket->reason = TW_REASON_UNKNOWN;
	bucket->substate = outcome->substate;
}

/* Remembers whose bucket it is until it goes away: in the connection's slot where it has one. */
static __always_inline void bucket__remember(const struct outcome *outcome, const struct conn *conn,
					     struct tw_slot *slot, u32 row_id, u32 netns, u64 now)
{
	u64 key = conn__bucket_key(outcome->cookie, outcome->bucket);
	struct tw_bucket bucket = {.row = row_id, .netns = (u16)netns};

	if (slot) {
		bucket__write(&slot->bucket, outcome, conn, now);
		return;
	}
	bucket__write(&bucket, outcome, conn, now);
	if (bpf_map_update_elem(&buckets, &key, &bucket, BPF_ANY))
		stats__add(buckets_full);
}

static __always_inline u8 bucket__count_created(struct tw_netns *ns, struct tw_row *row, u8 substate)
{
	if (substate == TW_SUBSTATE_FIN_WAIT2)
		bucket__count(ns, row, fin_wait2);
	else
		bucket__count(ns, row, time_wait);
	return TW_EVENT_CREATED;
}

/* The row of a connection that nobody was seen closing. */
static __always_inline u32 bucket__row_of_socket(enum tw_access access, struct sock *sk, const struct conn *conn,
						 u32 netns, u8 role)
{
	struct tw_row_key key = {};

	owner__set_place(&key, conn, netns, role);
	return owner__intern_socket(access, sk, &key);
}

/*
 * A connection asked for a bucket and got it or not. `closer` says who was seen sending the FIN. Counts first, detail
 * last.
 */
static __always_inline void bucket__on_outcome(enum tw_access access, struct sock *sk, const struct conn *conn,
					       u32 netns, const struct closer *closer, const struct outcome *outcome)
{
	struct tw_netns *ns = netns__at(netns);
	struct tw_event event = {};
	struct tw_row *row;

	if (!ns)
		return;
	ns->limit = outcome->limit;
	ns->count = outcome->count;
	event.time_ns = bpf_ktime_get_boot_ns();
	event.row = closer->seen ? closer->row : bucket__row_of_socket(access, sk, conn, netns, outcome->role);
	row = row__at(event.row);
	if (outcome->bucket) {
		event.kind = bucket__count_created(ns, row, outcome->substate);
		bucket__remember(outcome, conn, closer->slot, event.row, netns, event.time_ns);
		if (closer->seen)
			owner__release_row(closer->row);
	} else {
		event.kind = bucket__count_refusal(ns, row, outcome);
		owner__let_go(closer);
	}
	event.cookie = outcome->cookie;
	event.netns = (u16)netns;
	event.substate = outcome->substate;
	emit__event(&event, conn);
}

/* What the namespace's death_row says right now. */
static __always_inline void outcome__read_table(enum tw_access access, struct inet_timewait_death_row *dr,
						struct outcome *outcome)
{
	outcome->limit = (u32)tw_get(access, dr, sysctl_max_tw_buckets);
	outcome->count = compat__death_row_count(access, dr);
}

/* inet_twsk_alloc(sk, dr, state) returned `tw`. */
static __always_inline void bucket__on_alloc(enum tw_access access, struct sock *sk, struct inet_timewait_death_row *dr,
					     int state, struct inet_timewait_sock *tw)
{
	struct outcome outcome = {.bucket = (u64)tw, .substate = (u8)state};
	struct closer closer;
	struct conn conn;
	u32 netns;

	if (!conn__is_tcp(access, sk))
		return;
	outcome__read_table(access, dr, &outcome);
	outcome.cookie = (u64)tw_get(access, sk, __sk_common.skc_cookie.counter);
	conn__read(access, &sk->__sk_common, &conn);
	owner__take(access, sk, outcome.cookie, &closer);
	netns = owner__netns(access, sk, &closer);
	if (!closer.seen) /* the bucket has no port yet, the socket still has */
		outcome.role = role__of_socket(access, sk, (u16)netns, conn.local_port);
	bucket__on_outcome(access, sk, &conn, netns, &closer, &outcome);
}

/* What is remembered of a bucket, and where. */
struct known_bucket {
	struct tw_bucket *bucket; /* NULL: nothing */
	struct tw_slot *slot;     /* NULL: in the map */
	u64 key;                  /* there */
};

static __always_inline void bucket__find_in_map(u64 cookie, u64 address, struct known_bucket *known)
{
	known->key = conn__bucket_key(cookie, address);
	known->bucket = bpf_map_lookup_elem(&buckets, &known->key);
	if (known->bucket || known->key == address)
		return;
	known->key = address; /* the cookie may have been generated after it was remembered */
	known->bucket = bpf_map_lookup_elem(&buckets, &known->key);
}

static __always_inline void bucket__find(u64 cookie, u64 address, struct known_bucket *known)
{
	known->slot = slot__find(cookie);
	if (known->slot && known->slot->bucket.substate) {
		known->bucket = &known->slot->bucket;
		return;
	}
	known->slot = NULL;
	bucket__find_in_map(cookie, address, known);
}

/* Whether the connection with this cookie has left a bucket, and that was counted. False for one without a cookie. */
static __always_inline bool bucket__is_known(u64 cookie)
{
	struct tw_slot *slot = slot__find(cookie);

	if (slot)
		return slot->bucket.substate;
	return cookie && bpf_map_lookup_elem(&buckets, &cookie);
}

/*
 * Of two programs that do the same the other one has counted the bucket of this socket. A socket that was disconnected
 * and connected again has the cookie of a bucket that it left before, but an owner that waits.
 */
static __always_inline bool bucket__is_counted(struct sock *sk)
{
	return bucket__is_known((u64)sk->__sk_common.skc_cookie.counter) && !owner__is_remembered(TW_DIRECT, sk);
}

/*
 * Before one of two programs counts a bucket: the place where it will be known to the other. False when there is none,
 * and the other would count it once more. Its slot if that knows the owner, else an entry of the map.
 */
static __always_inline bool bucket__has_place(u64 cookie)
{
	struct tw_bucket bucket = {.row = TW_ROW_NONE, .scan = tw_scan};

	if (owner__is_waiting(slot__find(cookie)) || bpf_map_lookup_elem(&buckets, &cookie))
		return true;
	return !bpf_map_update_elem(&buckets, &cookie, &bucket, BPF_NOEXIST);
}

static __always_inline void bucket__forget(const struct known_bucket *known)
{
	if (known->slot)
		slot__release(known->slot);
	else
		bpf_map_delete_elem(&buckets, &known->key);
}

/*
 * Noted together with TW_REASON_RECYCLED: an acceptable SYN ends the bucket only if somebody still listens
 * (tcp_v4_rcv), and then through inet_twsk_deschedule_put. Else the bucket stays, and may end in any way.
 */
#define REASON_TENTATIVE 0x80

static __always_inline bool reason__is_known(u8 noted)
{
	return noted != TW_REASON_UNKNOWN && !(noted & REASON_TENTATIVE);
}

/* What stands when one reason follows another: the first that is certain. */
static __always_inline u8 reason__after(u8 noted, u8 reason)
{
	if (reason__is_known(noted))
		return noted;
	if (noted & REASON_TENTATIVE && reason == TW_REASON_PURGED)
		return TW_REASON_RECYCLED;
	return reason;
}

/* Notes why a bucket is about to go. Buckets older than twtrace get an entry for it. */
static __always_inline void bucket__set_reason(enum tw_access access, struct sock_common *skc, u8 reason)
{
	struct tw_bucket bucket = {};
	struct known_bucket known;

	bucket__find((u64)tw_get(access, skc, skc_cookie.counter), (u64)skc, &known);
	if (known.bucket) {
		known.bucket->reason = reason__after(known.bucket->reason, reason);
		return;
	}
	bucket.netns = (u16)netns__intern(access, tw_get(access, skc, skc_net.net));
	bucket.row = TW_ROW_NONE;
	bucket.reason = reason;
	bucket.scan = tw_scan;
	if (bpf_map_update_elem(&buckets, &known.key, &bucket, BPF_ANY))
		stats__add(buckets_full);
}

/* tcp_twsk_unique returned `ret`: 1 when a connect() takes the bucket's four-tuple over. */
static __always_inline void bucket__on_unique(enum tw_access access, struct sock_common *skc, int ret)
{
	if (ret == 1)
		bucket__set_reason(access, skc, TW_REASON_REUSED);
}

/* tcp_timewait_state_process returned `ret`: TCP_TW_SYN for an acceptable SYN, which may take the four-tuple over. */
static __always_inline void bucket__on_segment(enum tw_access access, struct sock_common *skc, int ret)
{
	if (ret == (int)bpf_core_enum_value(enum tcp_tw_status, TCP_TW_SYN))
		bucket__set_reason(access, skc, TW_REASON_RECYCLED | REASON_TENTATIVE);
}

static __always_inline void bucket__count_removed(struct tw_netns *ns, struct tw_row *row, u8 reason)
{
	if (reason == TW_REASON_EXPIRED)
		bucket__count(ns, row, expired);
	else if (reason == TW_REASON_REUSED)
		bucket__count(ns, row, reused);
	else if (reason == TW_REASON_RECYCLED)
		bucket__count(ns, row, recycled);
	else
		bucket__count(ns, row, purged);
}

static __always_inline u16 bucket__age_ds(u64 created_ns, u64 now)
{
	u64 age = created_ns ? (now - created_ns) / 100000000 : 65535;

	return age < 65535 ? (u16)age : 65535;
}

/* The bucket is being freed (tcp_twsk_destructor): of a living namespace, only the timer leaves no reason behind. */
static __always_inline void bucket__on_removed(enum tw_access access, struct sock_common *skc)
{
	u64 cookie = (u64)tw_get(access, skc, skc_cookie.counter);
	struct net *net = tw_get(access, skc, skc_net.net);
	struct tw_event event = {};
	struct known_bucket known;
	struct tw_netns *ns;
	struct conn conn;

	event.time_ns = bpf_ktime_get_boot_ns();
	event.kind = TW_EVENT_REMOVED;
	event.reason = compat__net_is_exiting(access, net) ? TW_REASON_PURGED : TW_REASON_EXPIRED;
	event.age_ds = 65535;
	event.row = TW_ROW_NONE;
	event.cookie = cookie;
	bucket__find(cookie, (u64)skc, &known);
	if (known.bucket) {
		event.row = known.bucket->row;
		event.netns = known.bucket->netns;
		event.substate = known.bucket->substate;
		event.age_ds = bucket__age_ds(known.bucket->created_ns, event.time_ns);
		if (reason__is_known(known.bucket->reason))
			event.reason = known.bucket->reason;
	} else {
		event.netns = (u16)netns__intern(access, net);
	}
	ns = netns__at(event.netns);
	if (ns)
		bucket__count_removed(ns, row__at(event.row), event.reason);
	if (known.bucket)
		bucket__forget(&known);
	conn__read(access, skc, &conn);
	emit__event(&event, &conn);
}

#endif /* TWTRACE_BUCKET_BPF_H */
