// SPDX-License-Identifier: Apache-2.0
// The capture file: an SQLite database with exactly these tables. This is a contract: users query the file with any
// SQLite client. docs/capture.md explains it and has example queries.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace twtrace::capture
{

/// PRAGMA application_id, "TwTr". file(1) and twtrace recognize the file by it.
inline constexpr std::uint32_t kApplicationId = 0x54775472;
/// PRAGMA user_version. Any change of the tables below is a new version; a reader knows the older ones and refuses a
/// newer one. 2 added the table `suspension`, 3 the table `process`, 4 the column `netns_id` to `setting`, `port_use`
/// and `event`, 5 the counts of who was hurt, the kind `no_port` of events and the column `is_before_start` of `owner`,
/// 6 the counts of the resets that the host sent and the table `budget`, 7 the tables `log` and `log_line`, 8 what
/// listening sockets dropped and the table `listen_queue`, 9 the column `tcp_timestamps` of `setting`,
/// 10 the columns `bound`, `bound_to` and `outside` of `port_use`, 11 the column
/// `is_before_start` of `peer`, 12 the count `no_port_bind` and the columns
/// `own_first` and `own_last` of `port_use`, 13 the events of resets and queue drops and the column `count` of `event`.
inline constexpr int kSchemaVersion = 13;

/// A part of SchemaTable::sql that came later than the table.
struct LaterPart {
	std::string_view text = {}; ///< the table has it once
	int since = 1;              ///< first version that has it
};

struct SchemaTable {
	const char *name;
	const char *sql; ///< as in sqlite_schema, byte for byte; the reader accepts no other text
	int since = 1;   ///< first version that has the table
	std::array<LaterPart, 11> later = {};
};

/// What a file of this version has as SchemaTable::sql.
inline std::string schema_sql(const SchemaTable &table, int version)
{
	std::string sql = table.sql;
	for (const LaterPart &part : table.later) {
		if (version < part.since)
			sql.erase(sql.find(part.text), part.text.size());
	}
	return sql;
}

/// Inode numbers are given again, so they do not tell which namespace it was.
#define TWTRACE_NETNS_ID "  netns_id INTEGER,                  -- netns.id\n"

#define TWTRACE_TIMESTAMPS "  tcp_timestamps INTEGER,\n"

#define TWTRACE_BOUND_PORTS                                                                                            \
	"  bound INTEGER NOT NULL,            -- of taken: by bind(), so no connect() can choose them\n"               \
	"  bound_to INTEGER NOT NULL,         -- of bound: those that are connected to it\n"                           \
	"  outside INTEGER NOT NULL,          -- further ports towards it, which connect() never chooses\n"

#define TWTRACE_OWN_PORTS                                                                                              \
	"  own_first INTEGER,                 -- the ports are those of this range, which clients have of their own\n" \
	"  own_last INTEGER,                  -- (IP_LOCAL_PORT_RANGE); NULL: of the namespace's\n"

#define TWTRACE_BEFORE_START                                                                                           \
	"  is_before_start INTEGER NOT NULL,  -- 1: buckets from before the start, which have no owner\n"

/// The counts that follow time_wait, wherever there are counts.
#define TWTRACE_OTHER_COUNTS                                                                                           \
	"  fin_wait2 INTEGER NOT NULL,\n"                                                                              \
	"  overflow_time_wait INTEGER NOT NULL,\n"                                                                     \
	"  overflow_fin_wait2 INTEGER NOT NULL,\n"                                                                     \
	"  no_memory INTEGER NOT NULL,\n"                                                                              \
	"  expired INTEGER NOT NULL,\n"                                                                                \
	"  reused INTEGER NOT NULL,\n"                                                                                 \
	"  recycled INTEGER NOT NULL,\n"                                                                               \
	"  purged INTEGER NOT NULL,\n" TWTRACE_HARM TWTRACE_RESETS_SENT TWTRACE_QUEUE_DROPS TWTRACE_NO_PORT_BIND

/// The counts of who was hurt, which follow the others.
#define TWTRACE_HARM                                                                                                   \
	"  no_port INTEGER NOT NULL,\n"                                                                                \
	"  resets_received INTEGER NOT NULL,\n"                                                                        \
	"  resets_felt INTEGER NOT NULL,\n"
#define TWTRACE_UNATTRIBUTED_HARM                                                                                      \
	"  unattributed_no_port INTEGER NOT NULL,\n"                                                                   \
	"  unattributed_resets_received INTEGER NOT NULL,\n"                                                           \
	"  unattributed_resets_felt INTEGER NOT NULL,\n"

/// The counts of the resets that the host sent, which follow those.
#define TWTRACE_RESETS_SENT                                                                                            \
	"  peer_resets INTEGER NOT NULL,\n"                                                                            \
	"  peer_resets_avoidable INTEGER NOT NULL,\n"                                                                  \
	"  resets_late INTEGER NOT NULL,\n"                                                                            \
	"  resets_aborted INTEGER NOT NULL,\n"                                                                         \
	"  resets_closed_port INTEGER NOT NULL,\n"                                                                     \
	"  resets_other INTEGER NOT NULL,\n"
#define TWTRACE_UNATTRIBUTED_RESETS_SENT                                                                               \
	"  unattributed_peer_resets INTEGER NOT NULL,\n"                                                               \
	"  unattributed_peer_resets_avoidable INTEGER NOT NULL,\n"                                                     \
	"  unattributed_resets_late INTEGER NOT NULL,\n"                                                               \
	"  unattributed_resets_aborted INTEGER NOT NULL,\n"                                                            \
	"  unattributed_resets_closed_port INTEGER NOT NULL,\n"                                                        \
	"  unattributed_resets_other INTEGER NOT NULL,\n"
#define TWTRACE_KERNEL_RESETS_SENT "  kernel_out_resets_total INTEGER,\n"
#define TWTRACE_MISSED_RESETS_SENT "  missed_resets_sent_total INTEGER,\n"
#define TWTRACE_REFUSED_FULL "  refused_full_total INTEGER NOT NULL,\n"

/// What listening sockets dropped, which follows those.
#define TWTRACE_QUEUE_DROPS "  queue_drops INTEGER NOT NULL,\n"
#define TWTRACE_UNATTRIBUTED_QUEUE_DROPS "  unattributed_queue_drops INTEGER NOT NULL,\n"
#define TWTRACE_MISSED_QUEUE_DROPS "  missed_queue_drops_total INTEGER,\n"

/// Of no_port, what bind() did, which follows those.
#define TWTRACE_NO_PORT_BIND "  no_port_bind INTEGER NOT NULL,\n"
#define TWTRACE_UNATTRIBUTED_NO_PORT_BIND "  unattributed_no_port_bind INTEGER NOT NULL,\n"

/// What not every backend sees.
#define TWTRACE_SEES                                                                                                   \
	"  sees_no_port INTEGER NOT NULL,         -- 1: no_port is known\n"                                            \
	"  sees_resets_received INTEGER NOT NULL, -- 1: resets_received and resets_felt are known\n"

#define TWTRACE_SEES_RESETS_SENT                                                                                       \
	"  sees_resets_sent INTEGER NOT NULL,     -- 1: peer_resets and the other resets sent are known\n"
#define TWTRACE_SEES_QUEUE_DROPS                                                                                       \
	"  sees_queue_drops INTEGER NOT NULL,     -- 1: queue_drops and the table listen_queue are known\n"
#define TWTRACE_SEES_NO_PORT_BIND                                                                                      \
	"  sees_no_port_bind INTEGER NOT NULL,    -- 1: no_port_bind is known, and part of no_port\n"

/// A kind of events.
#define TWTRACE_NO_PORT_KIND ", no_port"
#define TWTRACE_NO_SUBSTATE "; empty for no_port"
#define TWTRACE_HARM_KINDS                                                                                             \
	",\n                                     -- reset_sent, reset_received, reset_felt, queue_drop"
#define TWTRACE_HARM_HAS_NO_SUBSTATE " and those after it"
#define TWTRACE_RESET_REASONS                                                                                          \
	"\n                                     -- reset_sent: avoidable, refused, late, aborted, closed_port, other"
#define TWTRACE_EVENT_COUNT "  count INTEGER NOT NULL,            -- of attempts that a queue dropped; else 1\n"

/// Counts are increments: the sum over any samples is what was counted in them, the sum over all up to one is what had
/// been counted since the start by then. Columns that end in `_total` are since the start. NULL is unknown, never 0.
inline constexpr std::array kSchema = {
    SchemaTable{"capture",
		R"(CREATE TABLE capture(
  id INTEGER PRIMARY KEY,            -- always 1
  twtrace_version TEXT NOT NULL,
  host TEXT NOT NULL,
  kernel TEXT NOT NULL,
  backend TEXT NOT NULL,
  sees_removal INTEGER NOT NULL,     -- 1: expired, reused, recycled and purged are known
)" TWTRACE_SEES TWTRACE_SEES_RESETS_SENT TWTRACE_SEES_QUEUE_DROPS TWTRACE_SEES_NO_PORT_BIND
		R"(  interval_s REAL NOT NULL,          -- asked for; each sample has its own
  started_unix_ms INTEGER NOT NULL,  -- counting began
  ended_unix_ms INTEGER,             -- NULL: it was cut (or still runs) and ends with its last sample
  bucket_bytes INTEGER,              -- kernel memory of one bucket
  command_started_unix_ms INTEGER,
  command_ended_unix_ms INTEGER,
  command_exit_code INTEGER,
  command_signal INTEGER,
  writer_pid INTEGER NOT NULL,
  writer_start_ns INTEGER NOT NULL   -- since boot; with writer_pid tells whether it still runs
))",
		1,
		{{{TWTRACE_SEES, 5},
		  {TWTRACE_SEES_RESETS_SENT, 6},
		  {TWTRACE_SEES_QUEUE_DROPS, 8},
		  {TWTRACE_SEES_NO_PORT_BIND, 12}}}},
    SchemaTable{"fallback", R"(CREATE TABLE fallback(
  id INTEGER PRIMARY KEY,
  reason TEXT NOT NULL               -- why a backend was passed over, or what this one cannot see
))"},
    SchemaTable{"argument", R"(CREATE TABLE argument(
  id INTEGER PRIMARY KEY,            -- position in the command, from 0
  value TEXT NOT NULL
))"},
    SchemaTable{"mark", R"(CREATE TABLE mark(
  id INTEGER PRIMARY KEY,
  time_unix_ms INTEGER NOT NULL,
  name TEXT NOT NULL
))"},
    SchemaTable{"setting",
		R"(CREATE TABLE setting(
  id INTEGER PRIMARY KEY,
  at_end INTEGER NOT NULL,           -- 0: when the namespace was first seen, 1: at the end of the capture
  netns INTEGER NOT NULL,            -- inode number
)" TWTRACE_NETNS_ID R"(  name TEXT NOT NULL,
  tcp_max_tw_buckets INTEGER,
  default_limit INTEGER,
  tcp_fin_timeout INTEGER,
  tcp_tw_reuse INTEGER,
)" TWTRACE_TIMESTAMPS R"(  tcp_max_syn_backlog INTEGER,
  somaxconn INTEGER,
  ephemeral_ports INTEGER            -- ip_local_port_range without ip_local_reserved_ports
))",
		1,
		{{{TWTRACE_NETNS_ID, 4}, {TWTRACE_TIMESTAMPS, 9}}}},
    SchemaTable{"netns", R"(CREATE TABLE netns(
  id INTEGER PRIMARY KEY,            -- of this capture: inode numbers are used again
  inode INTEGER NOT NULL,
  name TEXT NOT NULL
))"},
    SchemaTable{"service", R"(CREATE TABLE service(
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,                -- systemd, docker, containerd, cri-o, podman, kubernetes, cgroup, unknown
  name TEXT NOT NULL,
  cgroup TEXT NOT NULL,
  pod TEXT NOT NULL,
  container TEXT NOT NULL
))"},
    SchemaTable{"owner",
		R"(CREATE TABLE owner(
  id INTEGER PRIMARY KEY,
  netns INTEGER NOT NULL,            -- netns.id
  service INTEGER NOT NULL,          -- service.id
  is_other INTEGER NOT NULL,         -- 1: processes that were merged to bound memory
)" TWTRACE_BEFORE_START R"(  pid INTEGER,
  start_ns INTEGER NOT NULL,         -- since boot; with pid tells processes apart
  comm TEXT NOT NULL,
  uid INTEGER NOT NULL,
  role TEXT NOT NULL,                -- server, client
  port INTEGER NOT NULL,
  attribution TEXT NOT NULL,         -- closer, cgroup, none
  ipv6 INTEGER NOT NULL,
  matched INTEGER NOT NULL
))",
		1,
		{{{TWTRACE_BEFORE_START, 5}}}},
    SchemaTable{"peer",
		R"(CREATE TABLE peer(
  id INTEGER PRIMARY KEY,
  netns INTEGER NOT NULL,            -- as in owner: who talked to the peer
  service INTEGER NOT NULL,
  is_other INTEGER NOT NULL,
)" TWTRACE_BEFORE_START R"(  pid INTEGER,
  start_ns INTEGER NOT NULL,
  comm TEXT NOT NULL,
  uid INTEGER NOT NULL,
  role TEXT NOT NULL,
  port INTEGER NOT NULL,
  attribution TEXT NOT NULL,
  ipv6 INTEGER NOT NULL,
  matched INTEGER NOT NULL,
  address TEXT NOT NULL,
  peer_port INTEGER                  -- NULL: ephemeral
))",
		1,
		{{{TWTRACE_BEFORE_START, 11}}}},
    SchemaTable{"sample", R"(CREATE TABLE sample(
  id INTEGER PRIMARY KEY,            -- from 1, without gaps
  time_unix_ms INTEGER NOT NULL,
  interval_s REAL NOT NULL,          -- that ended then
  uptime_s REAL NOT NULL,
  live_age_s REAL,
  cpu_percent REAL NOT NULL,         -- of twtrace itself, of one core
  rss_bytes INTEGER NOT NULL,
  bpf_run_ns_per_event REAL,
  ports_counted INTEGER NOT NULL     -- 1: port_use has this sample's, else those of an earlier one hold
))"},
    SchemaTable{"netns_sample",
		R"(CREATE TABLE netns_sample(
  id INTEGER PRIMARY KEY,            -- only namespaces in which something changed
  sample INTEGER NOT NULL,
  netns INTEGER NOT NULL,            -- netns.id
  gone INTEGER NOT NULL,
  "limit" INTEGER,
  in_use INTEGER,
  pre_existing INTEGER,
  time_wait INTEGER NOT NULL,        -- increments of everything seen in it
)" TWTRACE_OTHER_COUNTS R"(  unattributed_time_wait INTEGER NOT NULL,  -- increments of the part that no owner took
  unattributed_fin_wait2 INTEGER NOT NULL,
  unattributed_overflow_time_wait INTEGER NOT NULL,
  unattributed_overflow_fin_wait2 INTEGER NOT NULL,
  unattributed_no_memory INTEGER NOT NULL,
  unattributed_expired INTEGER NOT NULL,
  unattributed_reused INTEGER NOT NULL,
  unattributed_recycled INTEGER NOT NULL,
  unattributed_purged INTEGER NOT NULL,
)" TWTRACE_UNATTRIBUTED_HARM TWTRACE_UNATTRIBUTED_RESETS_SENT TWTRACE_UNATTRIBUTED_QUEUE_DROPS
		    TWTRACE_UNATTRIBUTED_NO_PORT_BIND
		R"(  kernel_created_total INTEGER,      -- the kernel's own counters
  kernel_overflow_total INTEGER,
  kernel_reused_total INTEGER,
  listen_overflows_total INTEGER,
  listen_drops_total INTEGER,
)" TWTRACE_KERNEL_RESETS_SENT R"(  missed_created_total INTEGER,      -- counted by the kernel, seen by no program
  missed_overflow_total INTEGER,
)" TWTRACE_MISSED_RESETS_SENT TWTRACE_MISSED_QUEUE_DROPS
		R"(  reconciled INTEGER
))",
		1,
		{{{TWTRACE_HARM, 5},
		  {TWTRACE_RESETS_SENT, 6},
		  {TWTRACE_UNATTRIBUTED_QUEUE_DROPS, 8},
		  {TWTRACE_NO_PORT_BIND, 12},
		  {TWTRACE_UNATTRIBUTED_NO_PORT_BIND, 12},
		  {TWTRACE_QUEUE_DROPS, 8},
		  {TWTRACE_UNATTRIBUTED_HARM, 5},
		  {TWTRACE_UNATTRIBUTED_RESETS_SENT, 6},
		  {TWTRACE_KERNEL_RESETS_SENT, 6},
		  {TWTRACE_MISSED_RESETS_SENT, 6},
		  {TWTRACE_MISSED_QUEUE_DROPS, 8}}}},
    SchemaTable{"owner_sample",
		R"(CREATE TABLE owner_sample(
  id INTEGER PRIMARY KEY,            -- only owners of which something changed
  sample INTEGER NOT NULL,
  owner INTEGER NOT NULL,            -- owner.id
  moved INTEGER NOT NULL,            -- 1: not counted now but moved between owners that were merged; may be negative
  time_wait INTEGER NOT NULL,
)" TWTRACE_OTHER_COUNTS R"(  live INTEGER,
  pids INTEGER NOT NULL,             -- processes merged; 0: the owner is part of another one from here on
  exited INTEGER NOT NULL
))",
		1,
		{{{TWTRACE_HARM, 5}, {TWTRACE_RESETS_SENT, 6}, {TWTRACE_QUEUE_DROPS, 8}, {TWTRACE_NO_PORT_BIND, 12}}}},
    SchemaTable{"peer_sample",
		R"(CREATE TABLE peer_sample(
  id INTEGER PRIMARY KEY,            -- only peers of which something changed; from events, so a lower bound
  sample INTEGER NOT NULL,
  peer INTEGER NOT NULL,             -- peer.id
  moved INTEGER NOT NULL,
  time_wait INTEGER NOT NULL,
)" TWTRACE_OTHER_COUNTS R"(  live INTEGER,
  pids INTEGER NOT NULL,
  exited INTEGER NOT NULL
))",
		1,
		{{{TWTRACE_HARM, 5}, {TWTRACE_RESETS_SENT, 6}, {TWTRACE_QUEUE_DROPS, 8}, {TWTRACE_NO_PORT_BIND, 12}}}},
    SchemaTable{"loss",
		R"(CREATE TABLE loss(
  id INTEGER PRIMARY KEY,            -- only when one of them changed
  sample INTEGER NOT NULL,
  events_total INTEGER NOT NULL,
  counts_total INTEGER NOT NULL,
  rows_full_total INTEGER NOT NULL,
  rows_busy_total INTEGER NOT NULL,
  netns_full_total INTEGER NOT NULL,
  sockets_full_total INTEGER NOT NULL,
  buckets_full_total INTEGER NOT NULL,
  cgroups_full_total INTEGER NOT NULL,
  listeners_full_total INTEGER NOT NULL,
  pairs_lost_total INTEGER NOT NULL,
)" TWTRACE_REFUSED_FULL R"(  recursion_misses_total INTEGER
))",
		1,
		{{{TWTRACE_REFUSED_FULL, 6}}}},
    SchemaTable{"port_use",
		R"(CREATE TABLE port_use(
  id INTEGER PRIMARY KEY,            -- the fullest destinations, when they were counted and changed
  sample INTEGER NOT NULL,
  netns INTEGER NOT NULL,            -- inode number
)" TWTRACE_NETNS_ID R"(  address TEXT NOT NULL,
  port INTEGER,
  taken INTEGER NOT NULL,            -- ephemeral ports in use towards it
)" TWTRACE_BOUND_PORTS TWTRACE_OWN_PORTS R"(  usable INTEGER NOT NULL            -- of so many
))",
		1,
		{{{TWTRACE_NETNS_ID, 4}, {TWTRACE_BOUND_PORTS, 10}, {TWTRACE_OWN_PORTS, 12}}}},
    SchemaTable{"event",
		R"(CREATE TABLE event(
  id INTEGER PRIMARY KEY,            -- only with --events
  time_unix_ms INTEGER NOT NULL,
  kind TEXT NOT NULL,                -- created, overflow, no_memory, removed)" TWTRACE_NO_PORT_KIND TWTRACE_HARM_KINDS
		R"(
  substate TEXT NOT NULL,            -- fin_wait2, time_wait)" TWTRACE_NO_SUBSTATE TWTRACE_HARM_HAS_NO_SUBSTATE R"(
  reason TEXT,                       -- removed only: unknown, expired, reused, recycled, purged)" TWTRACE_RESET_REASONS
		R"(
  age_s REAL,                        -- removed only
)" TWTRACE_EVENT_COUNT R"(  cookie INTEGER,
  netns INTEGER,                     -- inode number
)" TWTRACE_NETNS_ID R"(  pid INTEGER,
  comm TEXT,
  uid INTEGER,
  service INTEGER NOT NULL,          -- service.id
  role TEXT,
  port INTEGER,
  attribution TEXT NOT NULL,
  local_address TEXT NOT NULL,
  local_port INTEGER NOT NULL,
  remote_address TEXT NOT NULL,
  remote_port INTEGER NOT NULL
))",
		1,
		{{{TWTRACE_NETNS_ID, 4},
		  {TWTRACE_NO_PORT_KIND, 5},
		  {TWTRACE_NO_SUBSTATE, 5},
		  {TWTRACE_HARM_KINDS, 13},
		  {TWTRACE_HARM_HAS_NO_SUBSTATE, 13},
		  {TWTRACE_RESET_REASONS, 13},
		  {TWTRACE_EVENT_COUNT, 13}}}},
    SchemaTable{"suspension", R"(CREATE TABLE suspension(
  id INTEGER PRIMARY KEY,            -- only when the host slept
  sample INTEGER NOT NULL,
  seconds REAL NOT NULL              -- besides the sample's interval_s
))",
		2},
    SchemaTable{"process", R"(CREATE TABLE process(
  id INTEGER PRIMARY KEY,            -- seen when the capture began, when the command started and ended, and at the end
  service INTEGER NOT NULL,          -- service.id
  comm TEXT NOT NULL                 -- several processes of the same names are one row; at most 4096 rows
))",
		3},
    SchemaTable{"budget", R"(CREATE TABLE budget(
  id INTEGER PRIMARY KEY,
  text TEXT NOT NULL                 -- of --fail-if, limited to --service, --comm and --netns of the capture
))",
		6},
    SchemaTable{"log", R"(CREATE TABLE log(
  id INTEGER PRIMARY KEY,            -- from 1, in the order of --log and --journal
  kind TEXT NOT NULL,                -- file, journal
  name TEXT NOT NULL,                -- path of the file, or unit
  pattern TEXT NOT NULL,             -- extended regular expression, ignoring case
  long_lines INTEGER NOT NULL,       -- lines of which only the first 4096 bytes were compared with it
  skipped_bytes INTEGER NOT NULL,    -- not read, because the log grew too fast
  problem TEXT NOT NULL              -- why it could not be read at last; empty if it could
))",
		7},
    SchemaTable{"log_line", R"(CREATE TABLE log_line(
  id INTEGER PRIMARY KEY,            -- only lines that match the pattern
  sample INTEGER NOT NULL,
  log INTEGER NOT NULL,              -- log.id
  time_unix_ms INTEGER NOT NULL,     -- when twtrace read it
  lines INTEGER NOT NULL,            -- 1, or how many lines a row without text stands for
  text TEXT                          -- its first 512 bytes; NULL: too many lines to keep them all
))",
		7},
    SchemaTable{"listen_queue", R"(CREATE TABLE listen_queue(
  id INTEGER PRIMARY KEY,            -- all that dropped something, when one of them changed: at most 64
  sample INTEGER NOT NULL,
  netns INTEGER NOT NULL,            -- inode number
  netns_id INTEGER NOT NULL,         -- netns.id
  port INTEGER NOT NULL,
  service INTEGER NOT NULL,          -- service.id
  comm TEXT NOT NULL,
  length INTEGER NOT NULL,           -- connections that waited to be accepted
  "limit" INTEGER NOT NULL,          -- of them
  drops_total INTEGER NOT NULL,
  somaxconn INTEGER,
  tcp_max_syn_backlog INTEGER
))",
		8},
};

#undef TWTRACE_OTHER_COUNTS
#undef TWTRACE_HARM
#undef TWTRACE_RESETS_SENT
#undef TWTRACE_QUEUE_DROPS
#undef TWTRACE_UNATTRIBUTED_QUEUE_DROPS
#undef TWTRACE_MISSED_QUEUE_DROPS
#undef TWTRACE_SEES_QUEUE_DROPS
#undef TWTRACE_NO_PORT_BIND
#undef TWTRACE_UNATTRIBUTED_NO_PORT_BIND
#undef TWTRACE_SEES_NO_PORT_BIND
#undef TWTRACE_UNATTRIBUTED_RESETS_SENT
#undef TWTRACE_KERNEL_RESETS_SENT
#undef TWTRACE_MISSED_RESETS_SENT
#undef TWTRACE_REFUSED_FULL
#undef TWTRACE_SEES_RESETS_SENT
#undef TWTRACE_UNATTRIBUTED_HARM
#undef TWTRACE_SEES
#undef TWTRACE_NO_PORT_KIND
#undef TWTRACE_NO_SUBSTATE
#undef TWTRACE_HARM_KINDS
#undef TWTRACE_HARM_HAS_NO_SUBSTATE
#undef TWTRACE_RESET_REASONS
#undef TWTRACE_EVENT_COUNT
#undef TWTRACE_BEFORE_START
#undef TWTRACE_NETNS_ID
#undef TWTRACE_TIMESTAMPS
#undef TWTRACE_BOUND_PORTS
#undef TWTRACE_OWN_PORTS

} // namespace twtrace::capture
