/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counts the buckets: created, refused, removed. Every backend ends in these functions. */
#ifndef TWTRACE_BUCKET_BPF_H
#define TWTRACE_BUCKET_BPF_H

#include "emit.bpf.h"
#include "owner.bpf.h"
#include "refused.bpf.h"

/* How a connection ended, as the backend found out. */
struct outcome {
	u64 bucket; /* the address of the bucket; 0: refused */
	u32 limit;  /* of the namespace at that moment, as the next one */
	u32 count;
	u8 substate; /* that the kernel asked for: TW_SUBSTATE_* */
};

/* Adds to the counter in the namespace's total, and in the row or in the unattributed part. */
#define bucket__count(ns, row, field)                                                                                  \
	do {                                                                                                           \
		__sync_fetch_and_add(&(ns)->total.field, 1);                                                           \
		if (row)                                                                                               \
			__sync_fetch_and_add(&(row)->counts.field, 1);                                                 \
		else                                                                                                   \
			__sync_fetch_and_add(&(ns)->unattributed.field, 1);                                            \
	} while (0)

/*
 * inet_twsk_alloc refuses if count >= limit, or if the allocation fails. The kernel's test is not atomic, and the count
 * may have fallen since. So a count just below the limit still means the limit.
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

/* Remembers whose bucket it is. */
static __always_inline void bucket__remember(const struct stored *stored, const struct outcome *outcome,
					     const struct conn *conn, const struct tw_event *event)
{
	struct tw_bucket bucket = {
	    .created_ns = event->time_ns,
	    .row = event->row,
	    .scan = tw_scan,
	    .netns = event->netns,
	    .local_port = conn->local_port,
	    .remote_port = conn->remote_port,
	    .substate = outcome->substate,
	    .reason = TW_REASON_UNKNOWN,
	};

	store__remember_bucket(stored, outcome->bucket, &bucket);
}

static __always_inline u8 bucket__count_created(struct tw_netns *ns, struct tw_row *row, u8 substate)
{
	if (substate == TW_SUBSTATE_FIN_WAIT2)
		bucket__count(ns, row, fin_wait2);
	else
		bucket__count(ns, row, time_wait);
	return TW_EVENT_CREATED;
}

/* The row of a connection if nobody was seen closing it. */
static __always_inline u32 bucket__row_of_socket(enum tw_access access, struct sock *sk, const struct conn *conn,
						 u32 netns, u8 role)
{
	struct tw_row_key key = {};

	owner__set_place(&key, conn, netns, role);
	return owner__intern_socket(access, sk, &key);
}

/* How long a refused bucket would have lived. */
static __always_inline u32 bucket__life_ms(struct sock *sk, u8 substate)
{
	if (substate != TW_SUBSTATE_FIN_WAIT2 || !tw_can_probe_read)
		return TW_BUCKET_LIFE_MS;
	return refused__fin_wait2_ms(tw_untyped(sk));
}

/*
 * The kernel created a bucket for a connection of the row, or refused it. `stored`: what store__find_socket found.
 * First come the counts, then the detail.
 */
static __always_inline void bucket__on_outcome(struct sock *sk, const struct stored *stored, const struct conn *conn,
					       u32 netns, u32 row_id, const struct outcome *outcome)
{
	struct tw_netns *ns = netns__at(netns);
	struct tw_row *row = row__at(row_id);
	struct tw_event event = {};

	if (!ns)
		return;
	ns->limit = outcome->limit;
	ns->count = outcome->count;
	event.time_ns = bpf_ktime_get_boot_ns();
	event.cookie = stored->cookie;
	event.row = row_id;
	event.netns = (u16)netns;
	event.substate = outcome->substate;
	if (outcome->bucket) {
		event.kind = bucket__count_created(ns, row, outcome->substate);
		bucket__remember(stored, outcome, conn, &event);
	} else {
		event.kind = bucket__count_refusal(ns, row, outcome);
		store__forget_socket(stored);
		refused__remember(refused__key(conn, ns->id), row_id, bucket__life_ms(sk, outcome->substate));
	}
	emit__event(&event, conn);
}

/* Reads limit and count of the namespace. */
static __always_inline void outcome__read_table(enum tw_access access, struct inet_timewait_death_row *dr,
						struct outcome *outcome)
{
	outcome->limit = (u32)tw_get(access, dr, sysctl_max_tw_buckets);
	outcome->count = compat__death_row_count(access, dr);
}

/* inet_twsk_alloc(sk, dr, state) returned `tw`. `stored`: what store__find_socket found. */
static __always_inline void bucket__on_alloc(enum tw_access access, const struct stored *stored, struct sock *sk,
					     struct inet_timewait_death_row *dr, int state,
					     struct inet_timewait_sock *tw)
{
	struct outcome outcome = {.bucket = (u64)tw, .substate = (u8)state};
	u32 netns = store__netns(access, sk, stored);
	struct conn conn;
	u32 row;

	outcome__read_table(access, dr, &outcome);
	conn__read(access, &sk->__sk_common, &conn);
	if (store__is_kept(stored))
		row = store__row(stored);
	else
		row = bucket__row_of_socket(access, sk, &conn, netns, role__of_socket(access, sk));
	bucket__on_outcome(sk, stored, &conn, netns, row, &outcome);
}

/*
 * Goes with TW_REASON_RECYCLED. An acceptable SYN ends the bucket only if somebody still listens, and then through
 * inet_twsk_deschedule_put (tcp_v4_rcv). Else the bucket stays, and may end in any way.
 */
#define REASON_TENTATIVE 0x80

static __always_inline bool reason__is_known(u8 noted)
{
	return noted != TW_REASON_UNKNOWN && !(noted & REASON_TENTATIVE);
}

/* The reason that holds when a second one is noted: the first that is certain. */
static __always_inline u8 reason__after(u8 noted, u8 reason)
{
	if (reason__is_known(noted))
		return noted;
	if (noted & REASON_TENTATIVE && reason == TW_REASON_PURGED)
		return TW_REASON_RECYCLED;
	return reason;
}

/* Notes why a bucket is about to go. A bucket that is older than twtrace gets an entry for it. */
static __always_inline void bucket__set_reason(enum tw_access access, struct sock_common *skc, u8 reason)
{
	struct stored stored;

	if (store__find_bucket((u64)tw_get(access, skc, skc_cookie.counter), (u64)skc, &stored))
		stored.bucket->reason = reason__after(stored.bucket->reason, reason);
	else if (store__add_bucket(&stored, netns__intern(access, tw_get(access, skc, skc_net.net))))
		stored.bucket->reason = reason;
}

/* tcp_twsk_unique returned `ret`: 1 if a connect() takes over the bucket's four-tuple. */
static __always_inline void bucket__on_unique(enum tw_access access, struct sock_common *skc, int ret)
{
	if (ret == 1)
		bucket__set_reason(access, skc, TW_REASON_REUSED);
}

/* tcp_timewait_state_process returned `ret`: TCP_TW_SYN if an acceptable SYN may take over the four-tuple. */
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

/*
 * The kernel frees a bucket (tcp_twsk_destructor). If no reason was noted and the namespace is not being taken down,
 * the timer has expired.
 */
static __always_inline void bucket__on_removed(enum tw_access access, struct sock_common *skc)
{
	u64 cookie = (u64)tw_get(access, skc, skc_cookie.counter);
	struct net *net = tw_get(access, skc, skc_net.net);
	struct tw_event event = {};
	struct stored stored;
	struct tw_netns *ns;
	struct conn conn;

	event.time_ns = bpf_ktime_get_boot_ns();
	event.kind = TW_EVENT_REMOVED;
	event.reason = compat__net_is_exiting(access, net) ? TW_REASON_PURGED : TW_REASON_EXPIRED;
	event.age_ds = 65535;
	event.row = TW_ROW_NONE;
	event.cookie = cookie;
	if (store__find_bucket(cookie, (u64)skc, &stored)) {
		event.row = stored.bucket->row;
		event.substate = stored.bucket->substate;
		event.age_ds = bucket__age_ds(stored.bucket->created_ns, event.time_ns);
		if (reason__is_known(stored.bucket->reason))
			event.reason = stored.bucket->reason;
	}
	event.netns = (u16)store__netns_of_bucket(access, net, &stored);
	ns = netns__at(event.netns);
	if (ns)
		bucket__count_removed(ns, row__at(event.row), event.reason);
	store__forget_bucket(&stored);
	conn__read(access, skc, &conn);
	emit__event(&event, &conn);
}

#endif /* TWTRACE_BUCKET_BPF_H */
