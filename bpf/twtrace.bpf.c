/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Entry points only. The loader loads one of three backends: lib/fentry, lib/kprobe and lib/tracepoint read what their
 * hooks give them. All end in the same functions, so that they give the same answer. The kernel skips a program that
 * would interrupt itself on its CPU. So work in process context (who sent the FIN) and work in softirq (how the
 * connection ended) never depend on one program alone.
 */
#include <linux/ptrace.h>

#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "lib/fentry.bpf.h"
#include "lib/harm.bpf.h"
#include "lib/kprobe.bpf.h"
#include "lib/listener.bpf.h"
#include "lib/reset.bpf.h"
#include "lib/tracepoint.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* --- fentry / fexit --------------------------------------------------------------------------------------------- */

SEC("fentry/tcp_send_fin")
int BPF_PROG(on_fentry_send_fin, struct sock *sk)
{
	if (tw_enabled)
		fentry__on_send_fin(sk);
	return 0;
}

SEC("fentry/tcp_send_fin")
int BPF_PROG(on_fentry_send_fin_twin, struct sock *sk)
{
	if (tw_enabled)
		fentry__on_send_fin(sk);
	return 0;
}

SEC("fexit/inet_twsk_alloc")
int BPF_PROG(on_fexit_twsk_alloc, struct sock *sk, struct inet_timewait_death_row *dr, int state,
	     struct inet_timewait_sock *tw)
{
	if (tw_enabled)
		fentry__on_alloc(sk, dr, state, tw);
	return 0;
}

SEC("fexit/inet_twsk_alloc")
int BPF_PROG(on_fexit_twsk_alloc_twin, struct sock *sk, struct inet_timewait_death_row *dr, int state,
	     struct inet_timewait_sock *tw)
{
	if (tw_enabled)
		fentry__on_alloc_twin(sk, dr, state, tw);
	return 0;
}

/* Runs for every TCP socket, IPv6 too. A connection that is reset after our FIN never asks for a bucket. */
SEC("fentry/tcp_v4_destroy_sock")
int BPF_PROG(on_fentry_destroy_sock, struct sock *sk)
{
	if (!tw_enabled)
		return 0;
	owner__forget(TW_DIRECT, sk);
	felt__on_destroy(TW_DIRECT, sk);
	return 0;
}

/* Runs for connect(AF_UNSPEC) too. What the socket does next is another connection. */
SEC("fentry/tcp_disconnect")
int BPF_PROG(on_fentry_disconnect, struct sock *sk)
{
	if (tw_enabled)
		owner__forget(TW_DIRECT, sk);
	return 0;
}

/* Runs once for each bucket that is freed, in every version. Up to 6.12 it is called through a pointer. */
SEC("fentry/tcp_twsk_destructor")
int BPF_PROG(on_fentry_twsk_destructor, struct sock *sk)
{
	if (tw_enabled)
		bucket__on_removed(TW_DIRECT, &sk->__sk_common);
	return 0;
}

/* Runs at every early end of a bucket. If that is reuse or recycling, the reason is noted already. */
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
	if (tw_enabled)
		bucket__on_unique(TW_DIRECT, &sktw->__sk_common, ret);
	return 0;
}

SEC("fexit/tcp_timewait_state_process")
int on_fexit_state_process(u64 *ctx)
{
	if (tw_enabled)
		fentry__on_state_process(ctx);
	return 0;
}

SEC("fexit/inet_hash_connect")
int BPF_PROG(on_fexit_no_port, struct inet_timewait_death_row *dr, struct sock *sk, int ret)
{
	if (tw_enabled)
		harm__on_hash_connect(sk, ret);
	return 0;
}

SEC("fexit/inet6_hash_connect")
int BPF_PROG(on_fexit_no_port_v6, struct inet_timewait_death_row *dr, struct sock *sk, int ret)
{
	if (tw_enabled)
		harm__on_hash_connect(sk, ret);
	return 0;
}

SEC("fexit/inet_csk_get_port")
int BPF_PROG(on_fexit_get_port, struct sock *sk, unsigned short port, int ret)
{
	if (tw_enabled)
		harm__on_get_port(TW_DIRECT, sk, port, ret);
	return 0;
}

/* A listening socket closes, or stops listening. */
SEC("fentry/inet_csk_listen_stop")
int BPF_PROG(on_fentry_listen_stop, struct sock *sk)
{
	if (tw_can_probe_read && tw_enabled && conn__is_tcp(TW_DIRECT, sk))
		listener__on_close(tw_untyped(sk));
	return 0;
}

SEC("fentry/tcp_v4_send_reset")
int BPF_PROG(on_fentry_send_reset, const struct sock *sk, struct sk_buff *skb)
{
	reset__on_sent(tw_untyped(sk), tw_untyped(skb));
	return 0;
}

SEC("fentry/tcp_v6_send_reset")
int BPF_PROG(on_fentry_send_reset_v6, const struct sock *sk, struct sk_buff *skb)
{
	reset__on_sent(tw_untyped(sk), tw_untyped(skb));
	return 0;
}

/* --- kprobe / kretprobe ----------------------------------------------------------------------------------------- */

SEC("kprobe/tcp_send_fin")
int BPF_KPROBE(on_kprobe_send_fin, struct sock *sk)
{
	if (tw_enabled)
		kprobe__on_send_fin(sk);
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
	if (tw_enabled)
		kprobe__on_alloc_return(tw);
	return 0;
}

SEC("kprobe/tcp_v4_destroy_sock")
int BPF_KPROBE(on_kprobe_destroy_sock, struct sock *sk)
{
	if (!tw_enabled)
		return 0;
	owner__forget(TW_PROBED, sk);
	felt__on_destroy(TW_PROBED, sk);
	return 0;
}

SEC("kprobe/tcp_disconnect")
int BPF_KPROBE(on_kprobe_disconnect, struct sock *sk)
{
	if (tw_enabled)
		owner__forget(TW_PROBED, sk);
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
	if (tw_enabled)
		kprobe__on_unique_return(ret);
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
	if (tw_enabled)
		kprobe__on_state_process_return(ret);
	return 0;
}

SEC("kprobe/tcp_v4_send_reset")
int BPF_KPROBE(on_kprobe_send_reset, const struct sock *sk, struct sk_buff *skb)
{
	reset__on_sent((u64)sk, (u64)skb);
	return 0;
}

SEC("kprobe/tcp_v6_send_reset")
int BPF_KPROBE(on_kprobe_send_reset_v6, const struct sock *sk, struct sk_buff *skb)
{
	reset__on_sent((u64)sk, (u64)skb);
	return 0;
}

SEC("kprobe/inet_csk_get_port")
int BPF_KPROBE(on_kprobe_get_port, struct sock *sk, unsigned short port)
{
	if (tw_enabled)
		pair__enter(PAIR_GET_PORT, (u64)sk, port, 0);
	return 0;
}

SEC("kretprobe/inet_csk_get_port")
int BPF_KRETPROBE(on_kretprobe_get_port, int ret)
{
	if (tw_enabled)
		kprobe__on_get_port_return(ret);
	return 0;
}

SEC("raw_tp/inet_sock_set_state")
int on_raw_no_port(struct bpf_raw_tracepoint_args *ctx)
{
	if (tw_enabled)
		harm__on_state_change((struct sock *)ctx->args[0], (int)ctx->args[1], (int)ctx->args[2]);
	return 0;
}

SEC("raw_tp/tcp_receive_reset")
int on_raw_reset_received(struct bpf_raw_tracepoint_args *ctx)
{
	if (tw_enabled)
		harm__on_reset_received(TW_PROBED, (struct sock *)ctx->args[0]);
	return 0;
}

/* --- tracepoints alone ------------------------------------------------------------------------------------------ */

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_tracepoint_first, struct sock *sk, int oldstate, int newstate)
{
	tracepoint__on_state_change(FIRST_TURN, sk, oldstate, newstate);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_tracepoint_second, struct sock *sk, int oldstate, int newstate)
{
	tracepoint__on_state_change(SECOND_TURN, sk, oldstate, newstate);
	return 0;
}

/* The kernel has this tracepoint in tcp_v4_destroy_sock. */
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(on_tracepoint_destroy_sock, struct sock *sk)
{
	if (tw_enabled)
		felt__on_destroy(TW_DIRECT, sk);
	return 0;
}

/* --- every backend ---------------------------------------------------------------------------------------------- */

SEC("raw_tp/sched_process_exit")
int on_process_exit(void *ctx)
{
	if (tw_enabled)
		process__on_exit();
	return 0;
}

SEC("raw_tp/tcp_send_reset")
int on_reset_sent(struct bpf_raw_tracepoint_args *ctx)
{
	reset__on_tracepoint(ctx->args[0], ctx->args[1]);
	return 0;
}

/* --- every backend that has BTF --------------------------------------------------------------------------------- */

SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(on_typed_reset_received, struct sock *sk)
{
	if (tw_enabled)
		harm__on_reset_received(TW_DIRECT, sk);
	return 0;
}

/* --- which process has a socket --------------------------------------------------------------------------------- */

SEC("iter/task_file")
int find_sockets(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	u64 address;

	if (!task || !file)
		return 0;
	address = file__socket(file);
	listener__on_file(task, file, address);
	felt__on_file(task, file, address);
	return 0;
}

/* --- run by user space (BPF_PROG_TEST_RUN) ---------------------------------------------------------------------- */

/* Reads the clock that all times of the kernel side come from. */
SEC("raw_tp")
int read_clock(void *ctx)
{
	tw_clock_ns = bpf_ktime_get_boot_ns();
	return 0;
}

/* Fills the stacks before anything is attached, many numbers in a system call. */
SEC("raw_tp")
int push_free_slots(void *ctx)
{
	return intern__push_free_slots();
}

/* Runs on each CPU, before anything is counted. */
SEC("raw_tp")
int begin_refusals(void *ctx)
{
	return overflow__begin();
}

/* No process has the listening socket tw_listener: makes the row of whoever created it. */
SEC("raw_tp")
int claim_listener(void *ctx)
{
	return listener__claim();
}

/* Counts the reset that waits for tw_felt_socket, in the row of whoever created the socket. */
SEC("raw_tp")
int settle_felt(void *ctx)
{
	return felt__settle();
}
