/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Entry points. Three backends, of which the loader loads one; each reads its arguments and ends in the functions of
 * lib/, so that all give the same answer. The kernel skips a program that interrupts itself on its CPU, so what happens
 * in process context (who sent the FIN) and in softirq (how it ended) never has to be done by one program alone.
 */
#include <linux/ptrace.h>

#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "lib/pair.bpf.h"
#include "lib/scan.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* --- shared by the backends ------------------------------------------------------------------------------------- */

static __always_inline void remember_listener(enum tw_access access, struct sock *sk)
{
	u16 port = tw_get(access, sk, __sk_common.skc_num);

	if (port && conn__is_tcp(access, sk))
		role__remember_listener((u16)netns__intern(access, tw_get(access, sk, __sk_common.skc_net.net)), port);
}

static __always_inline bool sends_first_fin(enum tw_access access, struct sock *sk)
{
	/* Also called for LAST_ACK, where the peer closed first. */
	return tw_get(access, sk, __sk_common.skc_state) == TCP_FIN_WAIT1 && conn__is_tcp(access, sk);
}

/* inet_twsk_alloc(sk, dr, state) returned `tw`. */
static __always_inline void twsk_alloc(enum tw_access access, struct sock *sk, struct inet_timewait_death_row *dr,
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

/* What tcp_timewait_state_process returned: an acceptable SYN, which may take the four-tuple over. */
static __always_inline bool is_recycled_by_syn(int ret)
{
	return ret == (int)bpf_core_enum_value(enum tcp_tw_status, TCP_TW_SYN);
}

/*
 * Of two programs that do the same the other one has counted the bucket of this socket. A socket that was disconnected
 * and connected again has the cookie of a bucket that it left before, but an owner that waits.
 */
static __always_inline bool is_counted(struct sock *sk)
{
	return bucket__is_known((u64)sk->__sk_common.skc_cookie.counter) && !owner__is_remembered(TW_DIRECT, sk);
}

/* --- fentry / fexit --------------------------------------------------------------------------------------------- */

/*
 * The kernel skips a program on a CPU that has not left it yet: a softirq interrupts it, or (lazy preemption, 6.13) the
 * task inside it has to wait for another. So what tells whose a bucket is exists twice: while one of the two is held up
 * the other runs for what comes in between. Their order on a function is the kernel's affair, so either leaves alone
 * what the other has done.
 */
static __always_inline int fentry_send_fin(struct sock *sk)
{
	if (tw_enabled && sends_first_fin(TW_DIRECT, sk) && !owner__is_remembered(TW_DIRECT, sk))
		owner__on_fin(TW_DIRECT, sk);
	return 0;
}

SEC("fentry/tcp_send_fin")
int BPF_PROG(on_fentry_send_fin, struct sock *sk)
{
	return fentry_send_fin(sk);
}

SEC("fentry/tcp_send_fin")
int BPF_PROG(on_fentry_send_fin_twin, struct sock *sk)
{
	return fentry_send_fin(sk);
}

SEC("fexit/inet_twsk_alloc")
int BPF_PROG(on_fexit_twsk_alloc, struct sock *sk, struct inet_timewait_death_row *dr, int state,
	     struct inet_timewait_sock *tw)
{
	if (tw_enabled && !is_counted(sk))
		twsk_alloc(TW_DIRECT, sk, dr, state, tw);
	return 0;
}

/* Not for refusals, nor without a cookie: there is nothing that the other one's work could be told by. */
SEC("fexit/inet_twsk_alloc")
int BPF_PROG(on_fexit_twsk_alloc_twin, struct sock *sk, struct inet_timewait_death_row *dr, int state,
	     struct inet_timewait_sock *tw)
{
	u64 cookie = (u64)sk->__sk_common.skc_cookie.counter;

	if (tw_enabled && tw && cookie && conn__is_tcp(TW_DIRECT, sk) && !is_counted(sk) && bucket__has_place(cookie))
		twsk_alloc(TW_DIRECT, sk, dr, state, tw);
	return 0;
}

/* The end of every TCP socket, v4 and v6: connections that were reset after our FIN never ask for a bucket. */
SEC("fentry/tcp_v4_destroy_sock")
int BPF_PROG(on_fentry_destroy_sock, struct sock *sk)
{
	if (tw_enabled)
		owner__forget(TW_DIRECT, sk);
	return 0;
}

/* connect(AF_UNSPEC), too: what the socket does next is another connection. */
SEC("fentry/tcp_disconnect")
int BPF_PROG(on_fentry_disconnect, struct sock *sk)
{
	if (tw_enabled)
		owner__forget(TW_DIRECT, sk);
	return 0;
}

/* At exit the port is known, even when listen() chose it. */
SEC("fexit/inet_csk_listen_start")
int BPF_PROG(on_fexit_listen_start, struct sock *sk)
{
	if (tw_enabled)
		remember_listener(TW_DIRECT, sk);
	return 0;
}

/* Runs once per freed bucket in every version; called through a pointer up to 6.12. */
SEC("fentry/tcp_twsk_destructor")
int BPF_PROG(on_fentry_twsk_destructor, struct sock *sk)
{
	if (tw_enabled)
		bucket__on_removed(TW_DIRECT, &sk->__sk_common);
	return 0;
}

/* Every early end passes here; reuse and recycling have left their reason before. */
SEC("fentry/inet_twsk_deschedule_put")
int BPF_PROG(on_fentry_twsk_deschedule, struct inet_timewait_sock *tw)
{
	if (tw_enabled)
		bucket__set_reason(TW_DIRECT, &tw->__tw_common, TW_REASON_PURGED);
	return 0;
}

SEC("fexit/tcp_twsk_unique")
int BPF_PROG(on_fexit_twsk_unique, struct sock *sk, struct sock *sktw, void *twp, int ret)
{
	if (tw_enabled && ret == 1)
		bucket__set_reason(TW_DIRECT, &sktw->__sk_common, TW_REASON_REUSED);
	return 0;
}

/* Arguments of tcp_timewait_state_process: 3, then tw_isn (6.9) and drop_reason (6.15) were added behind. */
const volatile __u32 tw_state_process_args = 3;

/* The return value is behind the arguments. In assembly, because the verifier wants a constant offset at each load. */
#define LOAD_RETURN_VALUE(ret, ctx, args) asm volatile("%0 = *(u64 *)(%1 + %2)" : "=r"(ret) : "r"(ctx), "i"(8 * (args)))

SEC("fexit/tcp_timewait_state_process")
int on_fexit_state_process(u64 *ctx)
{
	struct inet_timewait_sock *tw = (void *)ctx[0];
	u64 ret;

	if (!tw_enabled)
		return 0;
	if (tw_state_process_args == 5)
		LOAD_RETURN_VALUE(ret, ctx, 5);
	else if (tw_state_process_args == 4)
		LOAD_RETURN_VALUE(ret, ctx, 4);
	else
		LOAD_RETURN_VALUE(ret, ctx, 3);
	if (is_recycled_by_syn((int)ret))
		bucket__set_reason(TW_DIRECT, &tw->__tw_common, TW_REASON_RECYCLED | REASON_TENTATIVE);
	return 0;
}

/* --- kprobe / kretprobe ----------------------------------------------------------------------------------------- */

SEC("kprobe/tcp_send_fin")
int BPF_KPROBE(on_kprobe_send_fin, struct sock *sk)
{
	if (tw_enabled && sends_first_fin(TW_PROBED, sk))
		owner__on_fin(TW_PROBED, sk);
	return 0;
}

SEC("kprobe/inet_twsk_alloc")
int BPF_KPROBE(on_kprobe_twsk_alloc, struct sock *sk, void *dr, int state)
{
	if (tw_enabled)
		pair__enter(PAIR_TWSK_ALLOC, (u64)sk, (u64)dr, (u64)state);
	return 0;
}

SEC("kretprobe/inet_twsk_alloc")
int BPF_KRETPROBE(on_kretprobe_twsk_alloc, struct inet_timewait_sock *tw)
{
	struct pair_args args;

	if (tw_enabled && pair__leave(PAIR_TWSK_ALLOC, &args))
		twsk_alloc(TW_PROBED, (struct sock *)args.first, (struct inet_timewait_death_row *)args.second,
			   (int)args.third, tw);
	return 0;
}

SEC("kprobe/tcp_v4_destroy_sock")
int BPF_KPROBE(on_kprobe_destroy_sock, struct sock *sk)
{
	if (tw_enabled)
		owner__forget(TW_PROBED, sk);
	return 0;
}

SEC("kprobe/tcp_disconnect")
int BPF_KPROBE(on_kprobe_disconnect, struct sock *sk)
{
	if (tw_enabled)
		owner__forget(TW_PROBED, sk);
	return 0;
}

/* By the number of its backlog argument this is a listening socket from here on; the port may still be 0. */
SEC("kprobe/inet_csk_listen_start")
int BPF_KPROBE(on_kprobe_listen_start, struct sock *sk)
{
	if (tw_enabled)
		remember_listener(TW_PROBED, sk);
	return 0;
}

SEC("kprobe/tcp_twsk_destructor")
int BPF_KPROBE(on_kprobe_twsk_destructor, struct sock *sk)
{
	if (tw_enabled)
		bucket__on_removed(TW_PROBED, &sk->__sk_common);
	return 0;
}

SEC("kprobe/inet_twsk_deschedule_put")
int BPF_KPROBE(on_kprobe_twsk_deschedule, struct inet_timewait_sock *tw)
{
	if (tw_enabled)
		bucket__set_reason(TW_PROBED, &tw->__tw_common, TW_REASON_PURGED);
	return 0;
}

SEC("kprobe/tcp_twsk_unique")
int BPF_KPROBE(on_kprobe_twsk_unique, struct sock *sk, struct sock *sktw)
{
	if (tw_enabled)
		pair__enter(PAIR_TWSK_UNIQUE, (u64)sktw, 0, 0);
	return 0;
}

SEC("kretprobe/tcp_twsk_unique")
int BPF_KRETPROBE(on_kretprobe_twsk_unique, int ret)
{
	struct pair_args args;

	if (tw_enabled && pair__leave(PAIR_TWSK_UNIQUE, &args) && ret == 1)
		bucket__set_reason(TW_PROBED, (struct sock_common *)args.first, TW_REASON_REUSED);
	return 0;
}

SEC("kprobe/tcp_timewait_state_process")
int BPF_KPROBE(on_kprobe_state_process, struct inet_timewait_sock *tw)
{
	if (tw_enabled)
		pair__enter(PAIR_STATE_PROCESS, (u64)tw, 0, 0);
	return 0;
}

SEC("kretprobe/tcp_timewait_state_process")
int BPF_KRETPROBE(on_kretprobe_state_process, int ret)
{
	struct pair_args args;

	if (tw_enabled && pair__leave(PAIR_STATE_PROCESS, &args) && is_recycled_by_syn(ret))
		bucket__set_reason(TW_PROBED, (struct sock_common *)args.first, TW_REASON_RECYCLED | REASON_TENTATIVE);
	return 0;
}

/* --- tracepoint sock:inet_sock_set_state alone ------------------------------------------------------------------ */

/* A refusal has set neither: see overflow__look. */
static __always_inline bool was_refused(struct net *net, u32 netns, const struct outcome *outcome)
{
	enum overflow_verdict verdict = overflow__look(net, netns);

	if (verdict == OVERFLOW_UNKNOWN)
		return bucket__was_at_limit(outcome);
	return verdict == OVERFLOW_COUNTED;
}

/* tcp_fin has run (it sets SOCK_DONE), so TIME_WAIT was asked for; before it only an orphan's FIN_WAIT2 is. */
static __always_inline u8 substate_asked_for(struct sock *sk)
{
	u64 done = 1ULL << bpf_core_enum_value(enum sock_flags, SOCK_DONE);

	return sk->__sk_common.skc_flags & done ? TW_SUBSTATE_TIME_WAIT : TW_SUBSTATE_FIN_WAIT2;
}

/*
 * Two of the same, as with fentry: a softirq ends up to 64 connections at once. Here their order is known, a tracepoint
 * keeps that of attaching, and what the first has done the second leaves alone.
 */
enum turn {
	FIRST_TURN,
	SECOND_TURN,
};

/* Process context: somebody closes. The state is stored after the tracepoint. */
static __always_inline void socket_closes(enum turn turn, struct sock *sk)
{
	if (turn == FIRST_TURN || !owner__is_remembered(TW_DIRECT, sk))
		owner__on_fin(TW_DIRECT, sk);
}

/* Softirq, mostly: a connection that sent its FIN first has come to its end. */
static __always_inline void connection_ends(enum turn turn, struct sock *sk)
{
	struct outcome outcome = {.cookie = (u64)sk->__sk_common.skc_cookie.counter};
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk); /* the verifier takes no cast for it */
	struct net *net = sk->__sk_common.skc_net.net;
	struct inet_timewait_death_row *dr = compat__death_row(TW_DIRECT, net);
	struct closer closer;
	struct conn conn;
	bool refused;
	u32 netns;

	if (!tcp || (turn == SECOND_TURN && is_counted(sk)))
		return;
	owner__take(TW_DIRECT, sk, outcome.cookie, &closer);
	if (turn == SECOND_TURN && !closer.seen)
		return;
	netns = owner__netns(TW_DIRECT, sk, &closer);
	conn__read(TW_DIRECT, &sk->__sk_common, &conn);
	conn.local_port = bpf_ntohs(tcp->inet_conn.icsk_inet.inet_sport); /* inet_put_port has cleared skc_num */
	outcome__read_table(TW_DIRECT, dr, &outcome);
	outcome.bucket = ehash__find_bucket(turn, sk, dr->hashinfo, conn.local_port);
	refused = was_refused(net, netns, &outcome);
	if (!outcome.bucket && !refused) { /* aborted: no bucket was asked for */
		owner__let_go(&closer);
		return;
	}
	/* Not the bucket's tw_substate: a FIN on another CPU may have made TIME_WAIT of FIN_WAIT2 by now. */
	outcome.substate = substate_asked_for(sk);
	if (!closer.seen) /* the port is the bucket's by now */
		outcome.role = outcome.bucket ? role__of_bucket((void *)outcome.bucket, (u16)netns, conn.local_port)
					      : role__by_port((u16)netns, conn.local_port);
	bucket__on_outcome(TW_DIRECT, sk, &conn, netns, &closer, &outcome);
}

/*
 * A close() that finds the FIN of a shutdown() not acknowledged yet stores FIN_WAIT1 again (tcp_close_state): nobody
 * sends a FIN then.
 */
static __always_inline void state_changes(enum turn turn, struct sock *sk, int from, int to)
{
	bool ends = to == TCP_CLOSE && (from == TCP_FIN_WAIT2 || from == TCP_CLOSING || from == TCP_FIN_WAIT1);
	bool closes = to == TCP_FIN_WAIT1 && from != TCP_FIN_WAIT1;

	if (!ends && !closes && to != TCP_LISTEN)
		return;
	if (!tw_enabled || !conn__is_tcp(TW_DIRECT, sk))
		return;
	if (ends)
		connection_ends(turn, sk);
	else if (closes)
		socket_closes(turn, sk);
	else
		remember_listener(TW_DIRECT, sk);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_tracepoint_first, struct sock *sk, int oldstate, int newstate)
{
	state_changes(FIRST_TURN, sk, oldstate, newstate);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_tracepoint_second, struct sock *sk, int oldstate, int newstate)
{
	state_changes(SECOND_TURN, sk, oldstate, newstate);
	return 0;
}

/* --- reading the present table ---------------------------------------------------------------------------------- */

/* Credits every bucket of the namespace to its row, and marks what is alive for the sweeps. */
SEC("iter/tcp")
int scan_sockets(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;

	if (!skc) { /* the end */
		scan__take_lost_chain(ctx->meta->seq);
		return 0;
	}
	if (scan__is_pause(ctx->meta))
		bpf_seq_write(ctx->meta->seq, tw_sweep_pause, 1);
	scan__note_chain(ctx->meta->seq, skc->skc_state);
	scan__take(skc->skc_state, (u64)skc->skc_cookie.counter, (u64)skc);
	return 0;
}

/*
 * Entries of the maps that two scans in a row did not find, for user space to delete; it looks at the slots by itself.
 * Two, because a bucket may be added between the mark and the walk.
 */
SEC("iter/bpf_map_elem")
int sweep_buckets(struct bpf_iter__bpf_map_elem *ctx)
{
	struct tw_bucket *bucket = ctx->value;
	struct tw_swept_bucket swept = {};
	u64 *key = ctx->key;

	if (scan__is_pause(ctx->meta))
		bpf_seq_write(ctx->meta->seq, tw_sweep_pause, sizeof(tw_sweep_pause));
	if (!key || !bucket || tw_scan - bucket->scan < 2)
		return 0;
	swept.key = *key;
	swept.bucket = *bucket;
	bpf_seq_write(ctx->meta->seq, &swept, sizeof(swept));
	return 0;
}

SEC("iter/bpf_map_elem")
int sweep_sockets(struct bpf_iter__bpf_map_elem *ctx)
{
	struct tw_socket *socket = ctx->value;
	struct tw_swept_socket swept = {};
	u64 *key = ctx->key;

	if (scan__is_pause(ctx->meta))
		bpf_seq_write(ctx->meta->seq, tw_sweep_pause, sizeof(tw_sweep_pause));
	if (!key || !socket || tw_scan - socket->scan < 2)
		return 0;
	swept.key = *key;
	swept.socket = *socket;
	bpf_seq_write(ctx->meta->seq, &swept, sizeof(swept));
	return 0;
}

/* Run by user space (BPF_PROG_TEST_RUN) inside a namespace: gives it a slot before its first event, and returns it. */
SEC("raw_tp")
int intern_current_netns(void *ctx)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	if (tw_has_task_btf)
		return (int)netns__intern(TW_DIRECT, bpf_get_current_task_btf()->nsproxy->net_ns);
	return (int)netns__intern(TW_PROBED, BPF_CORE_READ(task, nsproxy, net_ns));
}

/*
 * First of the TW_FREE_SLOTS_PER_RUN slots of the run below, and whether it is one of the namespaces. Slot 0 stands for
 * none in both.
 */
volatile __u32 tw_free_slot_first = 0;
volatile __u32 tw_free_slot_is_netns = 0;

/*
 * Run by user space (BPF_PROG_TEST_RUN) before anything is attached: a system call per run, not per slot. The highest
 * slot goes first, because a stack gives back what came last.
 */
SEC("raw_tp")
int push_free_slots(void *ctx)
{
	u32 first = tw_free_slot_first;
	u32 i, slot;

	for (i = 0; i < TW_FREE_SLOTS_PER_RUN; i++) {
		slot = first + TW_FREE_SLOTS_PER_RUN - 1 - i;
		if (slot == 0)
			return 0;
		if (tw_free_slot_is_netns ? bpf_map_push_elem(&free_netns, &slot, BPF_ANY)
					  : bpf_map_push_elem(&free_rows, &slot, BPF_ANY))
			return -1;
	}
	return 0;
}
