// SPDX-License-Identifier: Apache-2.0
// What every sink reads: one immutable picture of the tables at one moment.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/service.hpp"
#include "model/counters.hpp"
#include "model/forecast.hpp"
#include "model/logs.hpp"

namespace twtrace::model {

enum class Role { kServer, kClient };
enum class Attribution { kCloser, kCgroup, kNone };
enum class Group { kProcess, kPid, kService, kPort, kPeer, kNetns };

/// The other end. For a server row of the peer view `port` is empty (it is ephemeral).
struct Peer {
  std::string address;  ///< numeric, "10.0.0.1" or "2001:db8::1"; v4-mapped addresses are printed as IPv4
  std::optional<std::uint16_t> port;
  auto operator<=>(const Peer&) const = default;
};

/// Which process a row stands for. Absent in groups that merge processes.
struct ProcessId {
  std::optional<std::uint32_t> pid;  ///< thread-group id; empty when the row merges several
  std::string comm;                  ///< leader's name as the kernel has it: any bytes, not necessarily UTF-8
  std::optional<std::uint32_t> uid;  ///< empty when the row merges several
  std::uint32_t pids = 0;            ///< how many processes the row merges
  bool exited = false;               ///< every one of them has ended
};

/// The kind of a row. `kOther` merges rows that were folded to bound memory. `kUnattributed` has what no row took. With
/// both, the rows sum to the namespace's counts. `kBeforeStart` has buckets that were there when twtrace started: it
/// counted none of them, so only `live` says something. Its service is that of who listens or connects there now.
/// `kGone` merges the namespaces that model::folded() leaves out; only Group::kNetns has it.
enum class RowKind { kNormal, kOther, kUnattributed, kBeforeStart, kGone };

/// How much of something bounded is taken: buckets of a table, ephemeral ports of a destination.
struct Use {
  std::uint64_t taken = 0;
  std::uint64_t of = 0;
};
/// True if a larger share of the left one is taken. What is taken of nothing counts as taken of one.
inline bool is_fuller(const Use& left, const Use& right) {
  return left.taken * std::max<std::uint64_t>(right.of, 1) > right.taken * std::max<std::uint64_t>(left.of, 1);
}

/// One row of the chosen group. A dimension that the group merges is empty.
struct Row {
  /// The part of a row that belongs to processes that have ended.
  struct Ended {
    std::uint64_t closed = 0;     ///< created and refused
    std::uint64_t fin_wait2 = 0;  ///< created as FIN_WAIT2
    std::uint32_t pids = 0;
  };

  std::uint64_t id = 0;  ///< the same for the same row in every snapshot of one run; 0 when not known
  RowKind kind = RowKind::kNormal;
  std::optional<std::uint32_t> netns;  ///< inode number
  std::uint32_t netns_id = 0;          ///< NetnsRow::id
  std::string netns_name;              ///< "host", an `ip netns` name, or empty
  std::uint32_t namespaces = 1;        ///< how many kGone merges; then `netns` is empty
  std::optional<ProcessId> process;
  std::optional<base::Service> service;
  std::string service_label;  ///< tells `service` from others of the same name; empty: the name is enough
  std::optional<Role> role;
  std::optional<std::uint16_t> port;
  std::optional<std::uint32_t> ports = {};  ///< how many ports a row without one stands for; empty if not known
  std::optional<Peer> peer;
  std::optional<Attribution> attribution;  ///< empty when the row merges several kinds
  Counters counts;                         ///< since start
  Ended ended;                             ///< part of `counts`
  std::optional<std::uint64_t> live;       ///< empty when the backend has not measured it yet
  double created_per_s = 0;                ///< of the last interval
  double overflow_per_s = 0;
  std::optional<Use> use;  ///< namespaces: buckets in use; peers of clients: ephemeral ports; else empty

  /// The name to show: the label, else the service's name; empty without a service.
  const std::string& shown_service() const {
    static const std::string kNone;
    if (!service_label.empty()) return service_label;
    return service ? service->name : kNone;
  }
};

/// The kernel's own counters of a namespace since start. Empty where the kernel's counter has another meaning
/// (TW/TWKilled before 5.18) or the namespace could not be read.
struct KernelCounts {
  std::optional<std::uint64_t> created = {};           ///< TcpExtTW + TcpExtTWKilled
  std::optional<std::uint64_t> overflow = {};          ///< TcpExtTCPTimeWaitOverflow = overflow + no_memory
  std::optional<std::uint64_t> reused = {};            ///< TcpExtTWRecycled
  std::optional<std::uint64_t> listen_overflows = {};  ///< TcpExtListenOverflows: an accept queue was full
  std::optional<std::uint64_t> listen_drops = {};      ///< TcpExtListenDrops: that, and every other dropped SYN
  std::optional<std::uint64_t> out_resets = {};        ///< TcpOutRsts
};

/// Counted by the kernel, but seen by no program. Counts + missed = kernel, always.
struct MissedCounts {
  std::optional<std::uint64_t> created = {};
  std::optional<std::uint64_t> overflow = {};
  std::optional<std::uint64_t> resets_sent = {};
  std::optional<std::uint64_t> queue_drops = {};
};

/// Local ports: ip_local_port_range of a namespace, or IP_LOCAL_PORT_RANGE of sockets.
struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  auto operator<=>(const PortRange&) const = default;

  bool has(std::uint16_t port) const { return first <= port && port <= last; }
};

/// One network namespace. `id` is what it is known by: the kernel gives the inode number of one that is gone to the
/// next, and names are given again, too.
struct NetnsRow {
  std::uint32_t netns = 0;    ///< inode number
  std::string name;           ///< "host", an `ip netns` name, that of a container or pod, or empty
  bool is_container = false;  ///< `name` is that of a container or pod; a capture does not keep it
  bool gone = false;          ///< it no longer exists; the numbers are the last ones
  std::optional<std::uint64_t> limit;
  std::optional<std::uint64_t> in_use;
  std::optional<std::uint64_t> pre_existing;  ///< buckets that were there when twtrace started and still are
  Counters counts;                            ///< everything seen in it, attributed or not
  Counters unattributed;                      ///< the part that no row took
  Counters moved;               ///< the part of `counts` that earlier samples had under namespaces forgotten since
  Counters moved_unattributed;  ///< that part of `unattributed`
  double created_per_s = 0;
  double overflow_per_s = 0;
  KernelCounts kernel;
  MissedCounts missed;
  std::optional<bool> reconciled;  ///< counts equal the kernel's; empty when the kernel's cannot be compared
  std::uint32_t id = 0;            ///< of this trace or capture, which gives it to no other namespace
  Forecast forecast;               ///< by Trends; kUnknown where nobody asked
  /// ip_local_port_range. Empty: not known. A capture does not keep it.
  std::optional<PortRange> local_ports = {};
};

/// How much detail is missing, and why. None of these changes a count.
struct Losses {
  std::uint64_t events = 0;  ///< ring-buffer records dropped
  std::uint64_t counts = 0;  ///< counts lost: 0 by construction
  std::uint64_t rows_full = 0;
  std::uint64_t rows_busy = 0;
  std::uint64_t netns_full = 0;
  std::uint64_t sockets_full = 0;
  std::uint64_t buckets_full = 0;
  std::uint64_t cgroups_full = 0;
  std::uint64_t listeners_full = 0;  ///< of captures by 0.1; since then no listening port has to be remembered
  std::uint64_t pairs_lost = 0;
  std::uint64_t refused_full = 0;  ///< refused connections forgotten to make room: resets to their peers count as other
  std::optional<std::uint64_t> recursion_misses;  ///< program runs that the kernel skipped; empty before 5.12
};

/// The ephemeral ports of one namespace that connect() cannot choose towards one destination, because sockets and
/// buckets take them. If none is left, it fails with EADDRNOTAVAIL.
struct PortUse {
  std::uint32_t netns = 0;  ///< inode number
  Peer destination;
  /// `of`: ip_local_port_range without ip_local_reserved_ports; with `own` the ports of that range.
  Use ports;
  std::optional<std::uint32_t> netns_id = {};  ///< NetnsRow::id; empty: an old capture does not tell
  /// Of `ports.taken`, those that bind() took: no connect() of the namespace can choose them. Empty: an old capture
  /// does not tell, as with the next two.
  std::optional<std::uint64_t> bound = {};
  std::optional<std::uint64_t> bound_to = {};  ///< of these, those of connections to this destination
  /// Further ports, which connect() never chooses: clients took them with bind().
  std::optional<std::uint64_t> outside = {};
  /// The range that clients of the destination have of their own, if more of it is taken than of the namespace's.
  std::optional<PortRange> own = {};

  /// It is of no destination: `ports.taken` are those that bind() to port 0 cannot choose, because somebody has them.
  bool is_pool() const { return destination.address.empty(); }
  /// What connect() cannot choose. Of a pool, whatever the destination.
  Use for_connect() const { return is_pool() ? Use{bound.value_or(0), ports.of} : ports; }
};

/// The listening sockets of one program on one port, which dropped connection attempts.
struct ListenQueue {
  std::uint32_t netns = 0;     ///< inode number
  std::uint32_t netns_id = 0;  ///< NetnsRow::id
  std::uint16_t port = 0;      ///< 0: of one that has more ports than are told apart
  base::SharedService service;
  std::string comm;  ///< empty: not known
  /// Connections that wait to be accepted, and their limit, of the fullest socket; 0 of it where none listens.
  Use queue;
  std::uint64_t drops = 0;                        ///< since start
  double drops_per_s = 0;                         ///< in the last interval
  std::optional<std::uint64_t> somaxconn = {};    ///< of the namespace: listen() gets no longer queue
  std::optional<std::uint64_t> syn_backlog = {};  ///< tcp_max_syn_backlog of the namespace
};

/// Whether both are of the same sockets.
inline bool is_same(const ListenQueue& left, const ListenQueue& right) {
  return left.netns_id == right.netns_id && left.port == right.port && left.comm == right.comm &&
         is_same(left.service, right.service);
}

/// A snapshot has at most so many of them: those that drop most now, then those that dropped most.
inline constexpr std::size_t kMostQueues = 64;

/// Somebody's part in a trouble. The service is the whole service: all its processes, roles and ports together.
struct Party {
  std::string name;           ///< of the service, as rows show it; without one the process's; empty: not known
  std::string comm;           ///< the service's process with the largest part; empty: not known
  bool before_start = false;  ///< no owner: buckets that were there when twtrace started
  std::uint64_t buckets = 0;  ///< held, or refused since start; with view::Connects::kEver connects that failed
  double per_s = 0;           ///< refused, or connects that failed, in the last interval
  double share = 0;           ///< of the buckets in use, of those refused, or of the failed connects; 0 to 1
};

/// Where buckets from before the start are. Who closed them is not known.
struct OlderBuckets {
  Role role = Role::kServer;
  std::uint16_t port = 0;     ///< 0: many
  std::uint64_t buckets = 0;  ///< that are still there
  std::string service;        ///< who listens there now (server), or connects to there (client); empty: not known
};

/// Something that goes wrong in one namespace.
struct Trouble {
  enum class Kind {
    kFull,     ///< the table is full, or buckets were refused in the last interval
    kQueue,    ///< a listening socket drops connection attempts, or is about to: its accept queue is full
    kPorts,    ///< nearly all local ports towards a destination are taken, or connect() or bind() found none
    kRefused,  ///< buckets were refused before the last interval
  };
  Kind kind = Kind::kFull;
  std::uint32_t netns = 0;     ///< inode number
  std::uint32_t netns_id = 0;  ///< NetnsRow::id
  std::string netns_name;
  std::optional<Use> use;       ///< buckets of the table, ports, or the accept queue; empty when not known
  std::optional<Party> holder;  ///< of most buckets, of the ports, or of the queue; empty when not known
  /// If most buckets are from before the start, where most of those are (kFull), or how many of them took ports of the
  /// destination (kPorts).
  std::optional<OlderBuckets> older;
  std::optional<Party> refused;  ///< most often: now with kFull, since start with kRefused
  double refused_per_s = 0;      ///< of the whole namespace
  /// kPorts; without an address or a port where connects failed and it is not known to which one. Empty: it is bind()
  /// that found no local port, or that has taken nearly all of them.
  std::optional<Peer> destination;
  std::optional<Party> unconnected;  ///< kPorts: whose connects, or binds, failed most often in the last interval
  std::optional<PortRange> own_ports = {};  ///< kPorts: PortUse::own of `use`
  double no_port_per_s = 0;                 ///< kPorts: all connects to the destination, or binds, without a local port
  std::optional<ListenQueue> queue = {};    ///< kQueue
};

/// The cost of twtrace itself.
struct Cost {
  std::optional<double> bpf_run_ns_per_event;  ///< only while kernel.bpf_stats_enabled is on
  double cpu_percent = 0;                      ///< of one core, user + system, last interval
  std::uint64_t rss_bytes = 0;
  std::map<std::string, std::uint64_t> bpf_run_ns_of;  ///< by program; empty while it is off
};

/// The backend in use and how it was chosen.
struct ProbeInfo {
  std::string backend;                 ///< "fentry", "kprobe" or "tracepoint"
  std::vector<std::string> fallbacks;  ///< one sentence per unused backend, and per thing it cannot see
  Sight sees;
};

struct HostInfo {
  std::string name;
  std::string kernel;
};

/// Everything at one moment. Immutable once published; share it as SnapshotPtr between threads.
struct Snapshot {
  std::int64_t time_unix_ms = 0;
  double interval_s = 0;   ///< length of the interval; rates refer to it
  double suspended_s = 0;  ///< how long the host slept in addition
  double uptime_s = 0;     ///< since every program was attached
  /// The kernel's CLOCK_BOOTTIME, as Identity::start_ns, whatever the time namespace of twtrace. 0: not known.
  std::uint64_t boottime_ns = 0;
  HostInfo host;
  ProbeInfo probe;
  Group group = Group::kProcess;
  Counters totals;  ///< sum over namespaces
  Counters unattributed;
  std::vector<NetnsRow> namespaces;  ///< fullest first
  std::vector<Row> rows;             ///< sorted, filtered, cut to the requested number
  std::uint64_t rows_hidden = 0;     ///< rows cut by -r; filtered ones do not count
  std::optional<double> live_age_s;  ///< age of the scan behind `live`; 0 when counted event by event
  std::shared_ptr<const std::vector<PortUse>> port_use;  ///< the fullest destinations; null when they cannot be counted
  std::shared_ptr<const std::vector<ListenQueue>> queues;  ///< those with drops; null when they cannot be read
  std::vector<Trouble> troubles;                           ///< the worst first
  Losses lost;
  Cost cost;
  /// Of logs that a capture follows: what was read in this interval. Null if nothing was.
  std::shared_ptr<const std::vector<LogLine>> log_lines;
  /// The logs that LogLine::log counts. Only in the snapshots of a capture file; null: it followed none.
  std::shared_ptr<const std::vector<Log>> logs;
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

/// One event, as `twtrace events` prints it.
struct Event {
  /// The first four are of a bucket. kNoPort: a connect() found no free local port, or a bind() if there is no remote
  /// end. kResetFelt: a reset came, and a process still had the socket; kResetReceived: none had. kQueueDrop: a
  /// listening socket dropped connection attempts.
  enum class Kind {
    kCreated,
    kOverflow,
    kNoMemory,
    kRemoved,
    kNoPort,
    kResetSent,
    kResetReceived,
    kResetFelt,
    kQueueDrop
  };
  enum class Substate { kFinWait2, kTimeWait };
  /// The first five are why a bucket was removed, the others why a reset was sent. kAvoidable and kRefused: to the peer
  /// of a connection that had been refused a bucket, which would or would not have avoided the reset.
  enum class Reason {
    kUnknown,
    kExpired,
    kReused,
    kRecycled,
    kPurged,
    kAvoidable,
    kRefused,
    kLate,
    kAborted,
    kClosedPort,
    kOther
  };

  Kind kind = Kind::kCreated;
  std::int64_t time_unix_ms = 0;
  std::uint64_t cookie = 0;               ///< as `ss -e` prints it (hex); 0 when unknown
  std::optional<std::uint32_t> netns;     ///< inode number
  std::optional<std::uint32_t> netns_id;  ///< NetnsRow::id; empty: an old capture does not tell
  std::string netns_name;
  std::optional<ProcessId> process;  ///< empty when attribution is not closer
  base::Service service;
  std::optional<std::uint32_t> uid;
  std::optional<Role> role;
  std::optional<std::uint16_t> port;  ///< service port of the row
  Attribution attribution = Attribution::kNone;
  std::string local_address;  ///< numeric; empty when the backend no longer knows it (removal seen by a scan)
  std::uint16_t local_port = 0;
  std::string remote_address;
  std::uint16_t remote_port = 0;
  bool ipv6 = false;  ///< known from the row even if the addresses are not; a capture takes it only from the addresses
  Substate substate = Substate::kTimeWait;
  Reason reason = Reason::kUnknown;  ///< removed and reset sent only
  std::optional<double> age_s;       ///< removed only: seconds since it was created
  std::uint64_t count = 1;           ///< how many times it happened; of queue drops those of one look together

  bool is_refusal() const { return kind == Kind::kOverflow || kind == Kind::kNoMemory; }
  bool is_to_refused() const { return reason == Reason::kAvoidable || reason == Reason::kRefused; }
  /// Something was refused, or somebody is hurt.
  bool is_alarming() const {
    return is_refusal() || kind == Kind::kNoPort || kind == Kind::kResetFelt || kind == Kind::kQueueDrop ||
           is_to_refused();
  }
  bool has_substate() const { return is_refusal() || kind == Kind::kCreated || kind == Kind::kRemoved; }
  /// Why a bucket was removed, or a reset sent, is known.
  bool has_reason() const { return can_have(reason) && reason != Reason::kUnknown; }
  /// A reset that was sent always has a reason. Only it and a removal can have one.
  bool can_have(Reason why) const {
    const bool of_reset = why >= Reason::kAvoidable;
    return kind == Kind::kResetSent ? of_reset : kind == Kind::kRemoved ? !of_reset : why == Reason::kUnknown;
  }
};

/// "process", "pid", "service", "port", "peer", "netns".
const char* to_string(Group group);
/// "server", "client".
const char* to_string(Role role);
/// "closer", "cgroup", "none".
const char* to_string(Attribution attribution);
/// "created", "overflow", "no_memory", "removed", "no_port", "reset_sent", "reset_received", "reset_felt",
/// "queue_drop".
const char* to_string(Event::Kind kind);
/// "fin_wait2", "time_wait".
const char* to_string(Event::Substate substate);
/// "unknown", "expired", "reused", "recycled", "purged", "avoidable", "refused", "late", "aborted", "closed_port",
/// "other".
const char* to_string(Event::Reason reason);
/// "full", "queue", "ports", "refused".
const char* to_string(Trouble::Kind kind);
/// "unknown", "steady", "filling", "draining", "full".
const char* to_string(Forecast::State state);

}  // namespace twtrace::model
