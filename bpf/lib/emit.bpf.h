/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Writes the detail of an event to the ring buffer, after everything has been counted. A full ring loses detail only.
 */
#ifndef TWTRACE_EMIT_BPF_H
#define TWTRACE_EMIT_BPF_H

#include "conn.bpf.h"

/*
 * A wakeup interrupts a CPU, and costs more than all the rest of an event. So the reader drains the ring on a timer,
 * and is woken only when the ring fills beyond the watermark. Each of the first few records beyond it wakes the reader:
 * CPUs that reserve at the same time may all skip the exact mark.
 */
#define EMIT_WAKING_RECORDS 8

static __always_inline u64 emit__wakeup_flag(void)
{
	u64 fill = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);
	u64 record = sizeof(struct tw_event) + 8; /* 8: the ring's own header (BPF_RINGBUF_HDR_SZ) */

	if (fill < tw_wakeup_bytes || fill >= tw_wakeup_bytes + EMIT_WAKING_RECORDS * record)
		return BPF_RB_NO_WAKEUP;
	stats__add(wakeups);
	return BPF_RB_FORCE_WAKEUP;
}

static __always_inline void emit__fill(struct tw_event *event, const struct tw_event *from, const struct conn *conn)
{
	event->time_ns = from->time_ns;
	event->cookie = from->cookie;
	__builtin_memcpy(event->local_address, conn->local, sizeof(event->local_address));
	__builtin_memcpy(event->remote_address, conn->remote, sizeof(event->remote_address));
	event->row = from->row;
	event->local_port = conn->local_port;
	event->remote_port = conn->remote_port;
	event->netns = from->netns;
	event->kind = from->kind;
	event->family = conn->family;
	event->substate = from->substate;
	event->reason = from->reason;
	event->age_ds = from->age_ds;
}

/* What `from` lacks is in `conn`; NULL: it lacks nothing. */
static __always_inline void emit__event(const struct tw_event *from, const struct conn *conn)
{
	struct tw_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		stats__add(events_lost);
		return;
	}
	if (conn)
		emit__fill(event, from, conn);
	else
		*event = *from;
	bpf_ringbuf_submit(event, emit__wakeup_flag());
}

#endif /* TWTRACE_EMIT_BPF_H */
