// SPDX-License-Identifier: Apache-2.0
#include "view/columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "view/pattern.hpp"

namespace twtrace::view {
namespace {

using base::Align;

template <class T>
Value number(const std::optional<T>& value) {
  return value ? Value(std::uint64_t{*value}) : Value();
}

Value text(const std::string& bytes) { return bytes.empty() ? Value() : Value(bytes); }

template <class T>
Value named(const std::optional<T>& value) {
  return value ? Value(std::string(to_string(*value))) : Value();
}

// Accessors are template arguments, so that each declaration below takes one line.
template <std::uint64_t model::Counters::*kMember>
Value count(const model::ProbeInfo&, const model::Row& row) {
  return row.counts.*kMember;
}

template <auto kMember, bool model::Sight::*kNeeds>
Value seen(const model::ProbeInfo& probe, const model::Row& row) {
  return probe.sees.*kNeeds ? Value(model::count_of<kMember>(row.counts)) : Value();
}

template <std::string base::Service::*kMember>
Value of_service(const model::ProbeInfo&, const model::Row& row) {
  return row.service ? text((*row.service).*kMember) : Value();
}

std::string shown_service(const model::Row& row) { return row.shown_service(); }

std::string pod_name(const base::Pod& pod) {
  if (pod.name.empty()) return pod.uid;
  return pod.ns.empty() ? pod.name : pod.ns + '/' + pod.name;
}

Value taken(const model::ProbeInfo&, const model::Row& row) { return row.use ? Value(row.use->taken) : Value(); }

std::string use_text(const model::Row& row) {
  if (!row.use || row.use->of == 0) return {};
  return fmt::format("{:>3}% {}/{}", row.use->taken * 100 / row.use->of, row.use->taken, row.use->of);
}

std::string share_text(const model::Row& row) {
  if (!row.use || row.use->of == 0) return {};
  return fmt::format("{}%", row.use->taken * 100 / row.use->of);
}

std::string pid_or_pids(const model::Row& row) {
  if (!row.process) return {};
  if (row.process->pid) return fmt::format("{}", *row.process->pid);
  return row.process->pids == 0 ? std::string() : fmt::format("{} pids", row.process->pids);
}

// clang-format off
constexpr Column kPid{"pid", "PID", "process id, or how many processes the row merges", Align::kRight, 0, 40,
    [](const model::ProbeInfo&, const model::Row& r) { return r.process ? number(r.process->pid) : Value(); }, pid_or_pids, SortColumn::kPid};
constexpr Column kPids{"pids", "PIDS", "processes that the row merges", Align::kRight, 0, 60,
    [](const model::ProbeInfo&, const model::Row& r) { return r.process ? Value(std::uint64_t{r.process->pids}) : Value(); }};
constexpr Column kComm{"comm", "COMMAND", "name of the thread-group leader", Align::kLeft, 8, 0,
    [](const model::ProbeInfo&, const model::Row& r) { return r.process ? text(r.process->comm) : Value(); }, nullptr, SortColumn::kComm};
constexpr Column kUid{"uid", "UID", "user that owns the process", Align::kRight, 0, 80,
    [](const model::ProbeInfo&, const model::Row& r) { return r.process ? number(r.process->uid) : Value(); }};
constexpr Column kExited{"exited", "EXITED", "yes when every process of the row has ended", Align::kLeft, 0, 80,
    [](const model::ProbeInfo&, const model::Row& r) { return r.process ? text(r.process->exited ? "yes" : "no") : Value(); }};
constexpr Column kService{"service", "SERVICE", "systemd unit, container or cgroup of the owner", Align::kLeft, 10, 30,
    of_service<&base::Service::name>, shown_service, SortColumn::kService};
constexpr Column kServiceKind{"service_kind", "KIND", "systemd, docker, kubernetes ... or cgroup", Align::kLeft, 0, 80,
    of_service<&base::Service::kind>};
constexpr Column kCgroup{"cgroup", "CGROUP", "cgroup path of the owner", Align::kLeft, 10, 95,
    of_service<&base::Service::cgroup>};
constexpr Column kContainer{"container", "CONTAINER", "container id", Align::kLeft, 12, 95,
    of_service<&base::Service::container>};
constexpr Column kPod{"pod", "POD", "Kubernetes pod: namespace/name, or its uid", Align::kLeft, 10, 95,
    [](const model::ProbeInfo&, const model::Row& r) { return r.service ? text(pod_name(r.service->pod)) : Value(); }};
constexpr Column kRole{"role", "ROLE",
    "server: this end accepted the connection; client: it connected", Align::kLeft, 0, 70,
    [](const model::ProbeInfo&, const model::Row& r) { return named(r.role); }};
constexpr Column kPort{"port", "PORT", "service port: local for a server, remote for a client; * for many", Align::kRight, 0, 20,
    [](const model::ProbeInfo&, const model::Row& r) { return number(r.port); },
    [](const model::Row& r) { return shown_port(r.role, r.port); }, SortColumn::kPort};
constexpr Column kPeerAddress{"peer_address", "PEER", "address of the other end", Align::kLeft, 15, 0,
    [](const model::ProbeInfo&, const model::Row& r) { return r.peer ? text(r.peer->address) : Value(); }};
constexpr Column kPeerPort{"peer_port", "PEER_PORT",
    "port of the other end, when it is not ephemeral", Align::kRight, 0, 75,
    [](const model::ProbeInfo&, const model::Row& r) { return r.peer ? number(r.peer->port) : Value(); }};
constexpr Column kNetns{"netns", "NETNS", "inode number of the network namespace", Align::kRight, 0, 80,
    [](const model::ProbeInfo&, const model::Row& r) { return number(r.netns); }};
constexpr Column kNetnsId{"netns_id", "NETNS_ID",
    "unique id; inode numbers and names of namespaces are reused", Align::kRight, 0, 85,
    [](const model::ProbeInfo&, const model::Row& r) { return r.netns ? Value(std::uint64_t{r.netns_id}) : Value(); }};
constexpr Column kNamespaces{"namespaces", "NAMESPACES",
    "network namespaces that the row merges", Align::kRight, 0, 85,
    [](const model::ProbeInfo&, const model::Row& r) { return Value(std::uint64_t{r.namespaces}); }};
constexpr Column kNetnsName{"netns_name", "NAME", "name of the network namespace", Align::kLeft, 8, 80,
    [](const model::ProbeInfo&, const model::Row& r) { return text(r.netns_name); }};
constexpr Column kAttribution{"attribution", "ATTRIBUTION",
    "how the owner is known: closer, cgroup or none", Align::kLeft, 0, 85,
    [](const model::ProbeInfo&, const model::Row& r) { return named(r.attribution); }};
constexpr Column kCreatedPerS{"created_per_s", "CREATED/s",
    "buckets created per second, last interval", Align::kRight, 0, 10,
    [](const model::ProbeInfo&, const model::Row& r) { return Value(r.created_per_s); }, nullptr, SortColumn::kCreatedRate};
constexpr Column kCreated{"created", "CREATED", "buckets created since start", Align::kRight, 0, 60,
    [](const model::ProbeInfo&, const model::Row& r) { return Value(r.counts.created()); }, nullptr, SortColumn::kCreated};
constexpr Column kOverflowPerS{"overflow_per_s", "OVERFLOW/s",
    "buckets refused per second, last interval", Align::kRight, 0, 50,
    [](const model::ProbeInfo&, const model::Row& r) { return Value(r.overflow_per_s); }, nullptr, SortColumn::kOverflowRate};
constexpr Column kOverflow{"overflow", "OVERFLOW",
    "buckets refused since start: table at its limit", Align::kRight, 0, 0,
    [](const model::ProbeInfo&, const model::Row& r) { return Value(r.counts.overflow()); }, nullptr, SortColumn::kOverflow};
constexpr Column kLive{"live", "LIVE", "buckets that exist now", Align::kRight, 0, 50,
    [](const model::ProbeInfo&, const model::Row& r) { return number(r.live); }, nullptr, SortColumn::kLive};
constexpr Column kTimeWait{"time_wait", "TIME_WAIT", "created as TIME_WAIT", Align::kRight, 0, 90,
    count<&model::Counters::time_wait>};
constexpr Column kFinWait2{"fin_wait2", "FIN_WAIT2", "created as FIN_WAIT2", Align::kRight, 0, 90,
    count<&model::Counters::fin_wait2>, nullptr, SortColumn::kFinWait2};
constexpr Column kOverflowTimeWait{"overflow_time_wait", "OVER_TW",
    "refused at the TIME_WAIT stage", Align::kRight, 0, 90,
    count<&model::Counters::overflow_time_wait>};
constexpr Column kOverflowFinWait2{"overflow_fin_wait2", "OVER_FW2",
    "refused at the FIN_WAIT2 stage: peers get resets", Align::kRight, 0, 90,
    count<&model::Counters::overflow_fin_wait2>};
constexpr Column kNoMemory{"no_memory", "NO_MEM", "refused because the allocation failed", Align::kRight, 0, 90,
    count<&model::Counters::no_memory>};
constexpr Column kExpired{"expired", "EXPIRED", "removed by the timer", Align::kRight, 0, 92,
    seen<&model::Counters::expired, &model::Sight::removal>};
constexpr Column kReused{"reused", "REUSED", "removed: taken over by an outgoing connect", Align::kRight, 0, 92,
    seen<&model::Counters::reused, &model::Sight::removal>};
constexpr Column kRecycled{"recycled", "RECYCLED", "removed: killed early by an incoming SYN", Align::kRight, 0, 92,
    seen<&model::Counters::recycled, &model::Sight::removal>};
constexpr Column kPurged{"purged", "PURGED", "removed: everything else", Align::kRight, 0, 92,
    seen<&model::Counters::purged, &model::Sight::removal>};
constexpr Column kNoPort{"no_port", "NO_PORT", "connect() that found no free local port", Align::kRight, 0, 96,
    seen<&model::Counters::no_port, &model::Sight::no_port>, nullptr, SortColumn::kNoPort};
constexpr Column kResetsReceived{"resets_received", "RESETS", "resets that ended a connection here", Align::kRight, 0, 98,
    seen<&model::Counters::resets_received, &model::Sight::resets_received>};
constexpr Column kResetsFelt{"resets_felt", "FELT", "resets of sockets that a process still had", Align::kRight, 0, 97,
    seen<&model::Counters::resets_felt, &model::Sight::resets_received>, nullptr, SortColumn::kFelt};
constexpr Column kPeerResets{"peer_resets", "PEER_RST", "resets sent to the peers of connections that had been refused a bucket", Align::kRight, 0, 98,
    seen<&model::Counters::peer_resets, &model::Sight::resets_sent>};
constexpr Column kPeerResetsAvoidable{"peer_resets_avoidable", "AVOIDABLE", "those that a place in the table would have avoided", Align::kRight, 0, 98,
    seen<&model::Counters::peer_resets_avoidable, &model::Sight::resets_sent>};
constexpr Column kResetsSent{"resets_sent", "RST_SENT", "all resets that this end sent", Align::kRight, 0, 99,
    seen<&model::Counters::resets_sent, &model::Sight::resets_sent>};
constexpr Column kResetsAborted{"resets_aborted", "ABORTED", "resets by which a process ended a connection", Align::kRight, 0, 99,
    seen<&model::Counters::resets_aborted, &model::Sight::resets_sent>};
constexpr Column kQueueDrops{"queue_drops", "Q_DROPS", "connection attempts that a listening socket dropped", Align::kRight, 0, 97,
    seen<&model::Counters::queue_drops, &model::Sight::queue_drops>, nullptr, SortColumn::kQueueDrops};
constexpr Column kTableUse{"in_use", "IN USE/LIMIT", "buckets of the namespace's table", Align::kRight, 0, 0,
    taken, use_text, SortColumn::kUse};
constexpr Column kTableShare{"table_share", "TABLE", "buckets that exist now, as a share of the namespace's limit", Align::kRight, 0, 0,
    taken, share_text, SortColumn::kUse};
constexpr Column kPortUse{"ports_taken", "PORTS TAKEN",
    "ephemeral ports taken towards this destination", Align::kRight, 0, 5,
    taken, use_text, SortColumn::kUse};
// clang-format on

Column keep(Column column) {
  column.priority = 0;
  return column;
}

/// Where it names the rows: wide enough for "(unattributed)" and "(131,072 gone)".
Column naming_netns() {
  Column column = keep(kNetnsName);
  column.min_width = 14;
  return column;
}

/// The port of the other end, even if the owner talks to so many that its own row has none.
std::string port_with_peer(const model::Row& row) {
  return shown_port(row.role, row.port || !row.peer ? row.port : row.peer->port);
}

/// Where rows have a peer, its port goes with its address. Role and port tell rows without a peer apart.
Column role_of_peer() {
  Column column = kRole;
  column.priority = kService.priority + 1;  // who it is matters more
  return column;
}

Column port_of_peer() {
  Column column = kPort;
  column.text = port_with_peer;
  column.priority = kPortUse.priority + 1;
  return column;
}

std::vector<Column> default_columns(model::Group group) {
  switch (group) {
    case model::Group::kProcess:
    case model::Group::kPid:
      return {kPid, kComm, kService, kRole, kPort, kCreatedPerS, kCreated, kOverflow, kLive};
    case model::Group::kService:
      return {keep(kService), kServiceKind, kCreatedPerS, kCreated, kOverflowPerS, kOverflow, kLive};
    case model::Group::kPort:
      return {keep(kRole), keep(kPort), kCreatedPerS, kCreated, kOverflowPerS, kOverflow, kLive};
    case model::Group::kPeer:
      return {kPeerAddress, kComm, kService, role_of_peer(), port_of_peer(), kCreatedPerS, kCreated, kOverflow, kLive};
    case model::Group::kNetns:
      return {keep(kNetns), naming_netns(), kCreatedPerS, kCreated, kOverflowPerS, kOverflow, kLive};
  }
  return {};
}

// The columns that identify a row of the group, in addition to its default columns.
std::vector<Column> identity_columns(model::Group group) {
  switch (group) {
    case model::Group::kProcess:
    case model::Group::kPid:
      return {kPids, kUid, kExited, kNetns, kNetnsId, kNetnsName, kServiceKind, kAttribution, kOverflowPerS};
    case model::Group::kService:
    case model::Group::kPort:
      return {kNetns, kNetnsId, kNetnsName, kAttribution};
    case model::Group::kPeer:
      return {kPeerPort, kPids, kUid, kNetns, kNetnsId, kNetnsName, kServiceKind, kAttribution, kOverflowPerS};
    case model::Group::kNetns:
      return {kNetnsId, kNamespaces};
  }
  return {};
}

// Long text goes last, where it does not disturb the alignment.
std::vector<Column> text_columns(model::Group group) {
  const bool has_service = group == model::Group::kProcess || group == model::Group::kPid ||
                           group == model::Group::kService || group == model::Group::kPeer;
  return has_service ? std::vector<Column>{kPod, kContainer, kCgroup} : std::vector<Column>{};
}

std::vector<Column> wide_columns(model::Group group) {
  std::vector<Column> all = default_columns(group);
  const auto append = [&](const std::vector<Column>& more) { all.insert(all.end(), more.begin(), more.end()); };
  append(identity_columns(group));
  append({kTimeWait, kFinWait2, kOverflowTimeWait, kOverflowFinWait2, kNoMemory});
  append({kExpired, kReused, kRecycled, kPurged});
  append({kNoPort, kResetsReceived, kResetsFelt});
  append({kPeerResets, kPeerResetsAvoidable, kResetsSent, kResetsAborted, kQueueDrops});
  append(text_columns(group));
  return all;
}

/// Those that count who was hurt, where they need not be shown.
std::vector<Column> harm_columns() {
  std::vector<Column> all = {kResetsFelt, kNoPort, kQueueDrops};
  for (Column& column : all) {
    column.harm = true;
    column.priority = kSpare;
  }
  return all;
}

std::vector<Column> normal_columns(model::Group group) {
  std::vector<Column> all = default_columns(group);
  const std::vector<Column> harm = harm_columns();
  all.insert(all.end(), harm.begin(), harm.end());
  return all;
}

/// The namespace as the live view names it: short, and only where there is room.
Column live_netns() {
  Column column = kNetnsName;
  column.title = "NETNS";
  column.priority = kSpare + 1;
  column.text = [](const model::Row& r) {
    return r.netns_name.empty() && r.netns ? std::to_string(*r.netns) : r.netns_name;
  };
  return column;
}

Column spare(Column column, int order) {
  column.priority = kSpare + order;
  return column;
}

std::vector<Column> usual_columns(model::Group group) {
  std::vector<Column> all = default_columns(group);
  if (group == model::Group::kProcess || group == model::Group::kPid)
    all.insert(all.end() - 2, spare(kOverflowPerS, 2));
  const std::vector<Column> harm = harm_columns();
  all.insert(all.end(), harm.begin(), harm.end());
  if (group != model::Group::kNetns && group != model::Group::kPeer) all.push_back(spare(kTableShare, 3));
  if (group != model::Group::kNetns) all.push_back(live_netns());
  if (group == model::Group::kNetns) all.insert(all.begin() + 2, kTableUse);
  if (group == model::Group::kPeer) all.insert(all.begin() + 1, kPortUse);
  return all;
}

LiveColumns columns_of_live_view(model::Group group) {
  LiveColumns columns{usual_columns(group), 0, {}};
  columns.usual = columns.all.size();
  if (group != model::Group::kNetns) columns.telling_netns_apart = kNetnsName.name;
  for (const Column& column : wide_columns(group)) {
    const bool known = std::any_of(columns.all.begin(), columns.all.end(),
                                   [&](const Column& other) { return other.name == column.name; });
    if (!known) columns.all.push_back(column);
  }
  return columns;
}

struct Lists {
  explicit Lists(model::Group group)
      : normal(normal_columns(group)), wide(wide_columns(group)), live(columns_of_live_view(group)) {}
  std::vector<Column> normal;
  std::vector<Column> wide;
  LiveColumns live;
};

const Lists& lists_of(model::Group group) {
  static const Lists kLists[] = {Lists(model::Group::kProcess), Lists(model::Group::kPid),
                                 Lists(model::Group::kService), Lists(model::Group::kPort),
                                 Lists(model::Group::kPeer),    Lists(model::Group::kNetns)};
  static_assert(static_cast<std::size_t>(model::Group::kNetns) + 1 == std::size(kLists));
  return kLists[static_cast<std::size_t>(group)];
}

}  // namespace

const std::vector<Column>& columns(model::Group group, bool wide) {
  const Lists& lists = lists_of(group);
  return wide ? lists.wide : lists.normal;
}

std::vector<Column> columns_sorted_by(SortColumn sorted, model::Group group, bool wide) {
  std::vector<Column> shown = columns(group, wide);
  const auto is_sorted = [sorted](const Column& column) { return column.sort == sorted; };
  if (const auto known = std::find_if(shown.begin(), shown.end(), is_sorted); known != shown.end()) {
    *known = wanted(*known);
    return shown;
  }
  const std::vector<Column>& all = columns(group, true);
  const auto found = std::find_if(all.begin(), all.end(), is_sorted);
  if (found != all.end()) shown.push_back(wanted(*found));
  return shown;
}

Column wanted(Column column) {
  column.priority = std::min(column.priority, kWanted);
  column.harm = false;
  return column;
}

const LiveColumns& live_columns(model::Group group) { return lists_of(group).live; }

bool can_sort(model::Group group, SortColumn column) {
  const std::vector<Column>& all = live_columns(group).all;
  return std::any_of(all.begin(), all.end(), [column](const Column& each) { return each.sort == column; });
}

std::optional<SortColumn> sort_column_typed(std::string_view typed) {
  for (const SortName& known : sort_names()) {
    if (equal_ignoring_case(typed, known.name)) return known.column;
  }
  const Column* const column = column_titled(typed);
  return column == nullptr ? std::nullopt : column->sort;
}

const Column* column_titled(std::string_view title) {
  for (const Column& column : columns(model::Group::kProcess, true)) {
    if (equal_ignoring_case(title, column.title)) return &column;
  }
  return nullptr;
}

std::string_view label_column(model::Group group) {
  switch (group) {
    case model::Group::kProcess:
    case model::Group::kPid:
      return kComm.name;
    case model::Group::kService:
      return kService.name;
    case model::Group::kPort:
      return kRole.name;
    case model::Group::kPeer:
      return kPeerAddress.name;
    case model::Group::kNetns:
      return kNetnsName.name;
  }
  return {};
}

std::string shown_port(std::optional<model::Role> role, std::optional<std::uint16_t> port) {
  if (port) return std::to_string(*port);
  return role ? "*" : "";
}

std::string_view row_kind(model::RowKind kind) {
  switch (kind) {
    case model::RowKind::kNormal:
      return "normal";
    case model::RowKind::kOther:
      return "other";
    case model::RowKind::kUnattributed:
      return "unattributed";
    case model::RowKind::kBeforeStart:
      return "before_start";
    case model::RowKind::kGone:
      return "gone";
  }
  return "";
}

std::string_view row_label(model::RowKind kind) {
  switch (kind) {
    case model::RowKind::kNormal:
      return "";
    case model::RowKind::kOther:
      return "(other)";
    case model::RowKind::kUnattributed:
      return "(unattributed)";
    case model::RowKind::kBeforeStart:
      return "(before start)";
    case model::RowKind::kGone:
      return "(gone)";
  }
  return "";
}

}  // namespace twtrace::view
