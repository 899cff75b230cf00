/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel types that the programs read, written by hand. CO-RE relocates every access by name, so only the fields in
 * use are declared, in no particular order. What differs between kernels is in lib/compat.bpf.h.
 */
#ifndef TWTRACE_KERNEL_TYPES_H
#define TWTRACE_KERNEL_TYPES_H

#include <linux/bpf.h>
#include <linux/types.h>

typedef __s8 s8;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

/* uapi/asm-generic: address families and TCP states are ABI. */
#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6

/* include/net/tcp_states.h: numbers are ABI (struct tcp_info). */
enum {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT = 2,
	TCP_FIN_WAIT1 = 4,
	TCP_FIN_WAIT2 = 5,
	TCP_TIME_WAIT = 6,
	TCP_CLOSE = 7,
	TCP_LISTEN = 10,
	TCP_CLOSING = 11,
	TCP_NEW_SYN_RECV = 12,
};

/* include/linux/sched.h: PF_KTHREAD, a macro, unchanged since 2.6.27. */
#define PF_KTHREAD 0x00200000

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	long counter;
} atomic64_t;

typedef struct {
	atomic_t refs;
} refcount_t;

typedef struct {
	u32 val;
} kuid_t;

struct ns_common {
	const void *ops;
	unsigned int inum;
};

struct hlist_nulls_node {
	struct hlist_nulls_node *next, **pprev;
};

struct hlist_nulls_head {
	struct hlist_nulls_node *first;
};

struct inet_ehash_bucket {
	struct hlist_nulls_head chain;
};

struct inet_listen_hashbucket {
	struct hlist_nulls_head nulls_head;
};

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct inet_bind_hashbucket {
	struct hlist_head chain;
};

struct inet_hashinfo {
	struct inet_ehash_bucket *ehash;
	unsigned int ehash_mask;
	struct inet_bind_hashbucket *bhash;
	unsigned int bhash_size;
	unsigned int lhash2_mask;
	struct inet_listen_hashbucket *lhash2;
	struct inet_listen_hashbucket listening_hash[32]; /* until 5.18: see compat__listeners */
	bool pernet;                                      /* since 6.1: see compat__is_own_table */
};

struct inet_timewait_death_row {
	struct inet_hashinfo *hashinfo;
	int sysctl_max_tw_buckets;
};

struct linux_mib {
	unsigned long mibs[1];
};

struct tcp_mib;

struct netns_mib {
	struct tcp_mib *tcp_statistics;   /* __percpu */
	struct linux_mib *net_statistics; /* __percpu */
};

struct local_ports {
	u32 range; /* since 6.8: see compat__local_ports */
};

struct netns_ipv4 {
	struct inet_timewait_death_row tcp_death_row;
	struct local_ports ip_local_ports;
	unsigned long *sysctl_local_reserved_ports;
};

struct list_head {
	struct list_head *next, *prev;
};

struct net {
	u32 hash_mix;
	struct list_head list;
	struct ns_common ns;
	struct netns_mib mib;
	struct netns_ipv4 ipv4;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	union {
		u8 u6_addr8[16];
		u32 u6_addr32[4];
	} in6_u;
};

struct sock_common {
	u32 skc_daddr;
	u32 skc_rcv_saddr;
	unsigned int skc_hash;
	u16 skc_dport;
	u16 skc_num;
	unsigned short skc_family;
	unsigned char skc_ipv6only : 1;
	volatile unsigned char skc_state;
	int skc_bound_dev_if;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
	unsigned long skc_flags;
	struct hlist_nulls_node skc_nulls_node;
};

typedef struct {
	int owned;
} socket_lock_t;

struct sock {
	struct sock_common __sk_common;
	socket_lock_t sk_lock;
	u16 sk_protocol;
	kuid_t sk_uid;
	u32 sk_ack_backlog;
	u32 sk_max_ack_backlog;
	atomic_t sk_drops;
	struct socket *sk_socket;
};

struct inet_bind_bucket {
	possible_net_t ib_net;
	unsigned short port;
	signed char fastreuse;
	signed char fastreuseport;
	struct hlist_node node;
};

struct net_device {
	possible_net_t nd_net;
};

struct sk_buff {
	struct net_device *dev;
	unsigned int len;
	u16 transport_header;
	u16 network_header;
	unsigned char *head, *data;
};

struct ipv6_pinfo {
	int mcast_oif;
};

struct inet_sock {
	struct ipv6_pinfo *pinet6;
	u16 inet_sport;
	int mc_index;
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	struct inet_bind_bucket *icsk_bind_hash;
	u32 icsk_rto;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	int linger2;
};

struct inet_timewait_sock {
	struct sock_common __tw_common;
	unsigned char tw_substate;
	struct inet_bind_bucket *tw_tb;
};

struct kernfs_node {
	const char *name;
	u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
	struct cgroup_root *root;
};

struct cgroup_root {
	char name[64]; /* MAX_CGROUP_ROOT_NAMELEN */
};

struct css_set {
	struct cgroup *dfl_cgrp;
	struct list_head cgrp_links;
};

struct cgrp_cset_link {
	struct cgroup *cgrp;
	struct list_head cgrp_link;
};

struct nsproxy {
	struct net *net_ns;
};

/* Until 6.18 cfs_rq is an array of pointers: see compat__percpu_variable. */
struct task_group {
	void **cfs_rq;
	struct task_group *parent;
};

struct signal_struct {
	atomic_t live;
};

struct cred {
	kuid_t uid;
};

struct task_struct {
	struct nsproxy *nsproxy;
	int tgid;
	const struct cred *cred;
	struct task_group *sched_task_group;
	struct task_struct *group_leader;
	u64 start_boottime;
	u32 self_exec_id;
	unsigned int flags;
	char comm[16];
	struct css_set *cgroups;
	struct signal_struct *signal;
};

struct bpf_array {
	void *pptrs[1]; /* __percpu */
};

enum sock_flags {
	SOCK_DEAD = 0,
	SOCK_DONE = 1,
};

enum tcp_tw_status {
	TCP_TW_SYN = 3,
};

struct seq_file {
	void *private;
};

struct bpf_iter_meta {
	struct seq_file *seq;
	u64 session_id;
	u64 seq_num;
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};

struct file {
	void *private_data;
};

struct socket {
	struct file *file;
	struct sock *sk;
};

struct inode {
	unsigned long i_ino;
};

struct socket_alloc {
	struct socket socket; /* the first member, always */
	struct inode vfs_inode;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
};

struct bpf_map;

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	void *key;
	void *value;
};

#pragma clang attribute pop

#endif /* TWTRACE_KERNEL_TYPES_H */
