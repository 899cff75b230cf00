/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between the BPF programs and user space: every structure that crosses the boundary,
 * compiled as BPF C and as C++20. Only fixed-width integers and char arrays, padding is explicit, enumerators are
 * numbered and only ever appended. tests/unit/abi_test.cpp compares these layouts with the object's BTF.
 */
#ifndef TWTRACE_ABI_H
#define TWTRACE_ABI_H

#ifdef __cplusplus
#include <linux/types.h>
#define TW_STATIC_ASSERT(condition, message) static_assert(condition, message)
#else
#define TW_STATIC_ASSERT(condition, message) _Static_assert(condition, message)
#endif

#define TW_COMM_LEN 16         /* TASK_COMM_LEN */
#define TW_CGROUP_NAME_LEN 128 /* of one path component; a longer one is cut, and marked */
#define TW_CGROUP_TEXT_LEN 640 /* all components of a path; if they do not fit, the leaf end is kept */
#define TW_CGROUP_DEPTH 16

#define TW_MAX_ROWS 65536         /* rows of the kernel side at once; user space reuses idle ones of ended processes */
#define TW_MAX_NETNS 16384        /* namespaces that are counted at one time; slot TW_NETNS_OTHER takes the rest */
#define TW_FREE_SLOTS_PER_RUN 128 /* slots handed to the kernel side at a time; divides both limits */
#define TW_MAX_CGROUPS 16384
#define TW_MAX_SOCKETS 65536  /* connections without a slot, from our FIN to their end */
#define TW_MAX_LISTENERS 1024 /* listening sockets whose row is asked for at once, or that close between two looks */
#define TW_MAX_FELT 16384     /* resets of sockets that processes still have, see tw_felt */

#define TW_NETNS_OTHER 0     /* namespace slot for everything that found no other slot */
#define TW_MAX_PORTS 64      /* rows of one owner in a role; all its other ports share one more */
#define TW_PORT_MANY 0       /* tw_row_key.port of that one */
#define TW_MAX_REFUSED 32768 /* connections that were refused a bucket, and are remembered for the resets to come */
#define TW_MAX_MANY 17       /* the ports of so many such rows are known, less one place that is not used */
#define TW_ROW_NONE 0        /* no row: counted in tw_netns.unattributed */

/* What happened (tw_event.kind). The first four are of a bucket, and have a substate. */
#define TW_EVENT_CREATED 1
#define TW_EVENT_OVERFLOW 2
#define TW_EVENT_NO_MEMORY 3
#define TW_EVENT_REMOVED 4
#define TW_EVENT_NO_PORT 5        /* no local port was free, for a bind() if remote_port is 0 */
#define TW_EVENT_RESET_SENT 6     /* the reason is a TW_RESET_* */
#define TW_EVENT_RESET_RECEIVED 7 /* at a socket that no process had any more */
#define TW_EVENT_RESET_FELT 8     /* at one that a process still had */

/* Substate asked for at allocation: the kernel's own numbers (TCP_FIN_WAIT2, TCP_TIME_WAIT). */
#define TW_SUBSTATE_FIN_WAIT2 5
#define TW_SUBSTATE_TIME_WAIT 6

/* Why a bucket went away (tw_event.reason, tw_bucket.reason). */
#define TW_REASON_UNKNOWN 0 /* this backend cannot see it */
#define TW_REASON_EXPIRED 1
#define TW_REASON_REUSED 2
#define TW_REASON_RECYCLED 3
#define TW_REASON_PURGED 4

/* Why a reset was sent (tw_event.reason). */
#define TW_RESET_OTHER 0
#define TW_RESET_AVOIDABLE 1 /* to the peer of a refused connection: a bucket would have answered in another way */
#define TW_RESET_REFUSED 2   /* to such a peer, too, but a bucket would have sent it as well */
#define TW_RESET_LATE 3
#define TW_RESET_ABORTED 4
#define TW_RESET_CLOSED_PORT 5

#define TW_ROLE_NONE 0 /* of a row: sockets that had neither accepted nor connected; its port is 0 */
#define TW_ROLE_SERVER 1
#define TW_ROLE_CLIENT 2

#define TW_ATTRIBUTION_CLOSER 1
#define TW_ATTRIBUTION_CGROUP 2
#define TW_ATTRIBUTION_NONE 3

#define TW_FAMILY_IPV4 4 /* includes v4-mapped sockets, because the wire format counts */
#define TW_FAMILY_IPV6 6

/*
 * Monotonic counts of buckets, and of the harm that full tables and missing ports do. User space takes differences. The
 * kernel side never resets anything.
 */
struct tw_counts {
	__u64 time_wait;
	__u64 fin_wait2;
	__u64 overflow_time_wait;
	__u64 overflow_fin_wait2;
	__u64 no_memory;
	__u64 expired;
	__u64 reused;
	__u64 recycled;
	__u64 purged;
	__u64 no_port;         /* connect() or bind() to port 0 that failed because no local port was free */
	__u64 resets_received; /* RSTs that ended a connection here */
	__u64 resets_felt;     /* those of a socket that a process still had */
	/* RSTs that this host sent, each in one of these; peer_resets_avoidable is a part of peer_resets. */
	__u64 peer_resets;           /* to the peer of a connection that had been refused a bucket */
	__u64 peer_resets_avoidable; /* those in answer to a segment without data, which a bucket would have answered */
	__u64 resets_late;           /* to a segment that came after the close, at a bucket or at an orphan */
	__u64 resets_aborted;        /* a process ended the connection with it */
	__u64 resets_closed_port;    /* to a SYN for a port on which nobody listens */
	__u64 resets_other;
	__u64 queue_drops;  /* connection attempts that a listening socket dropped; user space counts them */
	__u64 no_port_bind; /* of no_port: bind() */
};
TW_STATIC_ASSERT(sizeof(struct tw_counts) == 160, "tw_counts");

/* Who, where, and in which role. A process that execs or moves to another cgroup gets another row. */
struct tw_row_key {
	__u64 start_ns;  /* CLOCK_BOOTTIME start of the thread-group leader; 0 unless attribution is closer */
	__u64 cgroup_id; /* cgroup v2 id, or the id in the v1 named hierarchy when tw_cgroup_v1 is set */
	__u32 tgid;      /* 0 unless attribution is closer */
	__u32 exec_id;   /* task_struct.self_exec_id of the leader: changes with every exec */
	__u32 uid;
	__u16 netns; /* slot in the namespaces array */
	__u16 port;  /* host order; local for a server, remote for a client; or TW_PORT_MANY */
	__u8 role;
	__u8 attribution;
	__u8 family;
	__u8 matched; /* the connection passes the port filter */
	__u32 reserved;
};
TW_STATIC_ASSERT(sizeof(struct tw_row_key) == 40, "tw_row_key");

/* One slot of the memory-mapped rows array. key, comm and first_ns are written once, before in_use. */
struct tw_row {
	struct tw_row_key key;
	char comm[TW_COMM_LEN]; /* thread-group leader's name; not necessarily UTF-8 */
	__u64 first_ns;         /* CLOCK_BOOTTIME */
	__u64 pending;          /* sockets whose FIN was sent and whose end was not seen yet */
	__u64 scanned;          /* buckets found by the running scan */
	struct tw_counts counts;
	__u32 in_use; /* 0 free, 1 published */
	__u16 owner;  /* place in owner_rows; 0: in none */
	__u16 many;   /* TW_PORT_MANY: place in many_ports; 0: its ports are not known */
};
TW_STATIC_ASSERT(sizeof(struct tw_row) == 248, "tw_row");

/* Which ports share the row of an owner: 1 each. */
struct tw_ports {
	__u8 seen[65536];
};
TW_STATIC_ASSERT(sizeof(struct tw_ports) == 65536, "tw_ports");

/* Key of the processes map: a process by the kernel's own numbers, whatever namespaces it is in. */
struct tw_process {
	__u64 start_ns; /* as tw_row_key.start_ns */
	__u32 tgid;
	__u32 reserved;
};
TW_STATIC_ASSERT(sizeof(struct tw_process) == 16, "tw_process");

/* How many rows an owner has. Which one of the owner_rows array: by a hash of its key without the port. */
struct tw_owner_rows {
	__u32 tag;   /* the rest of the hash */
	__u32 count; /* 0: free */
};
TW_STATIC_ASSERT(sizeof(struct tw_owner_rows) == 8, "tw_owner_rows");

/* One slot of the memory-mapped namespaces array. */
struct tw_netns {
	__u64 id;                      /* as tw_namespace_reading.id: no other namespace has it */
	__u32 inum;                    /* inode number of /proc/PID/ns/net */
	__u32 in_use;                  /* 0 free, 1 published */
	__u32 limit;                   /* sysctl_max_tw_buckets at the last event */
	__u32 count;                   /* buckets at the last event */
	struct tw_counts total;        /* all events of this namespace */
	struct tw_counts unattributed; /* events that found no row, and removals of buckets older than twtrace */
};
TW_STATIC_ASSERT(sizeof(struct tw_netns) == 344, "tw_netns");

/* Value of the sockets map (key: struct sock address), from our FIN to the end of a socket that has no slot. */
struct tw_socket {
	__u64 identity; /* socket cookie, else the four-tuple hash; tells the same socket from a reused address */
	__u32 row;
	__u32 scan; /* generation of the last scan that saw the socket alive */
};
TW_STATIC_ASSERT(sizeof(struct tw_socket) == 16, "tw_socket");

/*
 * What is known about a bucket during its life: in a slot, else in the buckets map (key: socket cookie, else the
 * bucket's address).
 */
struct tw_bucket {
	__u64 created_ns; /* CLOCK_BOOTTIME; 0 for buckets older than twtrace */
	__u32 row;
	__u32 scan; /* generation of the last scan that saw the bucket, with TW_SCAN_COUNTED if it counted it for its
		       row */
	__u16 netns;
	__u16 local_port;
	__u16 remote_port;
	__u8 substate;
	__u8 reason; /* set by the hook that knows it, read when the bucket is freed */
};
TW_STATIC_ASSERT(sizeof(struct tw_bucket) == 24, "tw_bucket");

#define TW_SCAN_COUNTED 0x80000000U

#define TW_SLOT_TAG_SHIFT 16       /* so there are at least 65,536 slots */
#define TW_SLOT_PUBLISHED 0x10000U /* added to tw_slot.state after the whole slot has been written */
#define TW_SLOT_TAKEN (TW_SLOT_PUBLISHED + 1)

/* A connection, from our FIN to the end of its bucket. The low bits of its cookie are its index in the slots array. */
struct tw_slot {
	__u32
	    state; /* 0 free; the low half counts who claims it, TW_SLOT_PUBLISHED is added by the one that holds it */
	__u32 tag; /* cookie >> TW_SLOT_TAG_SHIFT; identifies the connection */
	struct tw_bucket bucket; /* substate 0: still a socket; only row, netns and scan are set */
};
TW_STATIC_ASSERT(sizeof(struct tw_slot) == 32, "tw_slot");

/* Value of the map refused_connections: a connection that was refused a bucket. */
struct tw_refused {
	__u64 row_first_ns; /* tw_row.first_ns: user space may have given the row to another owner */
	__u32 row;
	__u32 until_ms; /* CLOCK_MONOTONIC, wraps: when its bucket would have been gone */
};
TW_STATIC_ASSERT(sizeof(struct tw_refused) == 16, "tw_refused");

#define TW_BUCKET_LIFE_MS 60000 /* TCP_TIMEWAIT_LEN of include/net/tcp.h, all versions; a FIN_WAIT2 may be shorter */

/*
 * Value of the cgroups map (key: cgroup id): the path as it was when its first socket closed, leaf first, each
 * component NUL-terminated: "nginx.service\0system.slice\0".
 */
struct tw_cgroup {
	__u32 length;    /* bytes used in text; 0 while it is being written */
	__u32 truncated; /* a component or the root end of the path is missing */
	char text[TW_CGROUP_TEXT_LEN];
};
TW_STATIC_ASSERT(sizeof(struct tw_cgroup) == 8 + TW_CGROUP_TEXT_LEN, "tw_cgroup");

/* Detail of one event, through the ring buffer. Best effort; tw_stats counts every loss. */
struct tw_event {
	__u64 time_ns;          /* CLOCK_BOOTTIME */
	__u64 cookie;           /* as ss -e prints it; 0 when unknown */
	__u8 local_address[16]; /* network order; IPv4 in the first four bytes */
	__u8 remote_address[16];
	__u32 row;
	__u16 local_port;
	__u16 remote_port;
	__u16 netns;
	__u8 kind;
	__u8 family;
	__u8 substate;
	__u8 reason;  /* removed, reset sent */
	__u16 age_ds; /* removed: age of the bucket in tenths of a second, 65535 when unknown */
};
TW_STATIC_ASSERT(sizeof(struct tw_event) == 64, "tw_event");

/*
 * Value of the map felt_resets (key: struct sock address): a reset that ended a connection whose socket a process still
 * has. It is counted when it is known which process that is.
 */
struct tw_felt {
	__u64 identity;        /* as tw_socket.identity */
	struct tw_row_key key; /* of whoever created the socket */
	struct tw_event event; /* for the ring, but without a row */
};
TW_STATIC_ASSERT(sizeof(struct tw_felt) == 112, "tw_felt");

/* Health counters: one for each kind of shortfall. */
struct tw_stats {
	__u64 events_lost;  /* ring full: detail was lost, but no count */
	__u64 rows_full;    /* no free row: counted as unattributed */
	__u64 rows_busy;    /* the row map refused the insert (lock held on this CPU, no memory): as rows_full */
	__u64 netns_full;   /* counted in slot TW_NETNS_OTHER */
	__u64 sockets_full; /* owner not remembered; the bucket falls back to attribution cgroup */
	__u64 buckets_full; /* the bucket's row is not remembered; live and removal count only for the namespace */
	__u64 cgroups_full; /* cgroup path not recorded */
	__u64 pairs_lost;   /* kprobe backend: a return without its entry */
	__u64 wakeups;      /* times the reader was woken */
	__u64 refused_full; /* the oldest refused connection was forgotten; a reset to its peer is TW_RESET_OTHER */
};
TW_STATIC_ASSERT(sizeof(struct tw_stats) == 80, "tw_stats");

/*
 * Data that the reader programs (bpf/namespaces.bpf.c, bpf/tables.bpf.c) and user space exchange. User space runs a
 * program, reads what it left, and runs it again until it is done.
 */

/* The most namespaces that one run of read_namespaces reads. */
#define TW_READ_NAMESPACES 1024

/* The kernel's own counters of a namespace, summed over all CPUs; monotonic for the life of the namespace. */
struct tw_kernel_counters {
	__u64 tw;        /* TcpExt TW */
	__u64 tw_killed; /* TcpExt TWKilled */
	__u64 tw_recycled;
	__u64 time_wait_overflow;
	__u64 listen_overflows;
	__u64 listen_drops;
	__u64 attempt_fails; /* Tcp AttemptFails */
	__u64 estab_resets;
	__u64 out_rsts;
};
TW_STATIC_ASSERT(sizeof(struct tw_kernel_counters) == 72, "tw_kernel_counters");

/* Which of a per-CPU array of counters read_namespaces copies: `words` from `first` on, to the place `at` of a buffer.
 */
struct tw_mib_span {
	__u16 tcp; /* 1: of struct tcp_mib, 0: of struct linux_mib */
	__u16 first;
	__u16 words; /* 0: none */
	__u16 at;
};
TW_STATIC_ASSERT(sizeof(struct tw_mib_span) == 8, "tw_mib_span");

#define TW_MIB_SPANS 9   /* each counter may be far from the others */
#define TW_MIB_WORDS 128 /* room for all of them */
#define TW_KERNEL_COUNTERS (sizeof(struct tw_kernel_counters) / sizeof(__u64))

#define TW_SETTING_UNKNOWN 0xffffffffU /* this kernel has no such setting */

/* Settings of a namespace, as the kernel keeps them. */
struct tw_settings {
	__u32 fin_timeout; /* tcp_fin_timeout, in jiffies */
	__u32 tw_reuse;    /* tcp_tw_reuse */
	__u32 syn_backlog; /* tcp_max_syn_backlog */
	__u32 somaxconn;
	__u32 usable_ports; /* ip_local_port_range without ip_local_reserved_ports */
	__u32 timestamps;   /* tcp_timestamps */
};
TW_STATIC_ASSERT(sizeof(struct tw_settings) == 24, "tw_settings");

/* One network namespace, as read_namespaces found it. */
struct tw_namespace_reading {
	__u64 id;         /* unique for all time: the cookie, else hash_mix and inode number */
	__u64 cookie;     /* net.net_cookie; 0 where the kernel gives none */
	__u64 node;       /* address of its node in the kernel's list */
	__u64 table;      /* address of the table of established connections that holds its buckets */
	__u32 table_mask; /* number of its chains - 1 */
	__u32 inum;       /* inode number of /proc/PID/ns/net */
	__u32 limit;      /* sysctl_max_tw_buckets */
	__u32 count;      /* buckets in use */
	__u16 first_port; /* ip_local_port_range */
	__u16 last_port;
	__u8 exiting;   /* it has no references, and is being torn down together with its buckets */
	__u8 own_table; /* it has a private table (tcp_child_ehash_entries) */
	__u8 initial;   /* the kernel started with it (init_net) */
	__u8 reserved;
	struct tw_kernel_counters counters; /* 0 if not requested */
	struct tw_settings settings;        /* the same */
};
TW_STATIC_ASSERT(sizeof(struct tw_namespace_reading) == 152, "tw_namespace_reading");

/* The position of read_namespaces. All zero: at the beginning. */
struct tw_namespace_pass {
	__u64 first;    /* the list is a ring; the pass begins and ends at our own namespace */
	__u64 last;     /* node read last */
	__u64 last_id;  /* id of its namespace, because the node may be reused before the next run */
	__u32 filled;   /* number of readings of the last run */
	__u32 done;     /* all namespaces have been read */
	__u32 restarts; /* how often a run could not continue because a namespace was gone; some were read twice */
	__u32 reserved;
};
TW_STATIC_ASSERT(sizeof(struct tw_namespace_pass) == 40, "tw_namespace_pass");

/* Where a possible CPU keeps its per-CPU data: the offset is added to a __percpu pointer. */
struct tw_cpu {
	__u64 offset;
	__u32 id;    /* written by user space, because the numbers of possible CPUs may have gaps */
	__u32 known; /* the offset was learned and verified */
};
TW_STATIC_ASSERT(sizeof(struct tw_cpu) == 16, "tw_cpu");

/* The most sockets that one run of walk_sockets returns. */
#define TW_READ_SOCKETS 2048

/* What walk_sockets should report (tw_walk.what), and what it reports (tw_socket_reading.what). */
#define TW_READ_BUCKETS 1  /* buckets; with a tracer's maps, only those that the tracer does not know */
#define TW_READ_PORTS 2    /* sockets and buckets that take a port from which connect() chooses */
#define TW_READ_CREDIT 4   /* credit buckets to the rows of the tracer */
#define TW_READ_CHOSEN 8   /* reported for a bucket: connect() chose its port, so this end is the client */
#define TW_READ_FIXED 16   /* reported: connect() never chooses this local port */
#define TW_READ_BOUND 32   /* reported: bind() took the local port, so connect() chooses it for no destination */
#define TW_READ_OUTSIDE 64 /* reported: bind() took a client's local port, and connect() never chooses it */
/* Asked for of listening sockets: */
#define TW_READ_DROPPED 128 /* only those that have dropped something (tw_listener_reading.drops) */

/* The position of a walk through a hash table of sockets. User space sets the table and what it wants. */
struct tw_walk {
	__u64 heads;      /* address of the first chain's head; for listeners the program finds it */
	__u64 netns_node; /* the namespace that owns the table; 0: the table always exists */
	__u64 netns_id;
	__u32 chains;    /* how many, a power of two */
	__u32 nulls;     /* the end value of the first chain; one more for each further chain */
	__u32 listeners; /* 1: listening sockets, 0: all others */
	__u32 what;      /* TW_READ_* */
	__u32 room;      /* most readings per run */
	__u32 reserved;

	__u64 place;    /* node read last in the chain in progress; 0: none */
	__u64 place_id; /* id of its socket, because the node may be reused before the next run */
	__u64 entries;  /* sockets read */
	__u32 chain;    /* in progress */
	__u32 filled;   /* readings that the last run left */
	__u32 dropped;  /* how many of the last readings of earlier runs are void */
	__u32 kept;     /* readings of the chain in progress, over all runs */
	__u32 attempts; /* consecutive attempts at the chain in progress */
	__u32 restarts; /* restarts of chains that changed too much */
	__u32 given_up; /* chains that kept changing; sockets of them may be missing */
	__u32 gone;     /* the namespace is gone, and the table with it */
	__u32 done;
	__u32 padding;
};
TW_STATIC_ASSERT(sizeof(struct tw_walk) == 112, "tw_walk");

/* One socket or bucket with a peer. At any time, no other has the same values up to `family`. */
struct tw_socket_reading {
	__u64 netns_id;         /* tw_namespace_reading.id */
	__u8 local_address[16]; /* network order; IPv4 in the first four bytes */
	__u8 remote_address[16];
	__u16 local_port;
	__u16 remote_port;
	__u8 family;
	__u8 state;  /* the kernel's number; TCP_TIME_WAIT for every bucket, whatever its substate */
	__u8 what;   /* TW_READ_* */
	__u8 role;   /* TW_ROLE_*, if asked for TW_READ_PORTS; 0: not known */
	__u32 chain; /* its chain; a socket that is read twice is in the same chain */
	/*
	 * IP_LOCAL_PORT_RANGE of a client's socket, if asked for TW_READ_PORTS: the first port, and the last in the
	 * upper half. Either is 0 if it is not set. A bucket has none.
	 */
	__u32 own_ports;
};
TW_STATIC_ASSERT(sizeof(struct tw_socket_reading) == 56, "tw_socket_reading");

/* The most bind buckets that one run of walk_binds returns. */
#define TW_READ_BINDS 2048

/* The position of a pass over the bind buckets, which are in one table for all namespaces. */
struct tw_bind_walk {
	__u32 chain;    /* to be read next */
	__u32 filled;   /* readings that the last run left */
	__u32 given_up; /* chains that kept changing, or are too long; buckets of them may be missing */
	__u32 done;
};
TW_STATIC_ASSERT(sizeof(struct tw_bind_walk) == 16, "tw_bind_walk");

/* A local port from which connect() could choose, if it were not taken. A port may be reported twice. */
struct tw_bind_reading {
	__u64 netns_id; /* tw_namespace_reading.id */
	__u16 port;
	__u8 chosen; /* by connect(), which can choose it again towards another destination; otherwise by bind() */
	__u8 padding[5];
};
TW_STATIC_ASSERT(sizeof(struct tw_bind_reading) == 16, "tw_bind_reading");

/* The most listening sockets that one run of walk_sockets returns. */
#define TW_READ_LISTENERS 1024

/* One listening socket. */
struct tw_listener_reading {
	__u64 socket;     /* its address; never show it */
	__u64 id;         /* tells it from every other socket, also from a later one at its address */
	__u64 netns_id;   /* tw_namespace_reading.id */
	__u64 cgroup_id;  /* cgroup v2 in which it was created; 0 if there is none */
	__u8 address[16]; /* network order; IPv4 in the first four bytes; 0 for every address */
	__u32 uid;
	__u32 queue;       /* connections waiting to be accepted */
	__u32 queue_limit; /* limit of them; the kernel lets in one more */
	__u32 drops;       /* sk_drops: connection attempts that it dropped, and other segments */
	__u32 chain;       /* which holds it: sockets that are read twice are in the same one */
	__u16 port;
	__u8 family;
	__u8 ipv6_only; /* an IPv6 socket that takes no IPv4 connections */
};
TW_STATIC_ASSERT(sizeof(struct tw_listener_reading) == 72, "tw_listener_reading");

/* A listening socket that closed, and had dropped something. */
struct tw_closed_listener {
	__u64 id; /* this and what follows, up to `row`: as in tw_listener_reading */
	__u64 netns_id;
	__u32 queue;
	__u32 queue_limit;
	__u32 drops;
	__u32 row; /* of whoever closed it */
};
TW_STATIC_ASSERT(sizeof(struct tw_closed_listener) == 32, "tw_closed_listener");

#endif /* TWTRACE_ABI_H */
