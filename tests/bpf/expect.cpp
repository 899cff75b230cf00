// SPDX-License-Identifier: Apache-2.0
#include "bpf/expect.hpp"

#include <poll.h>

#include <algorithm>
#include <set>

#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/inside_netns.hpp"
#include "support/subprocess.hpp"
#include "support/tcp_pairs.hpp"

namespace twtrace::test {

using nlohmann::json;

namespace {

const char* const kCounts[] = {
    "time_wait", "fin_wait2", "overflow_time_wait", "overflow_fin_wait2", "no_memory", "expired", "reused",
    "recycled",  "purged"};

bool counted_anything(const json& row) {
  return std::any_of(std::begin(kCounts), std::end(kCounts),
                     [&](const char* field) { return row.at(field).is_number() && row.at(field) != 0; });
}

// Kernels before 5.18 count a bucket when it expires. So there is nothing to compare with, and twtrace must say so.
bool kernel_counts_creation(const json& entry) { return !entry.at("kernel").at("created").is_null(); }

void check_rows_add_up(const json& snapshot, const Arena& arena, const json& entry) {
  CHECK(sum_of(snapshot, arena.netns, "created") == number(entry, "created"));
  CHECK(sum_of(snapshot, arena.netns, "overflow") == number(entry, "overflow"));
  CHECK(sum_of(snapshot, arena.netns, "no_memory") == number(entry, "no_memory"));
}

// A TIME_WAIT bucket always lives for 60 s, so TWKilled never counts it. TWKilled counts a FIN_WAIT2 bucket where
// split_substates() works.
void check_substates(const json& snapshot, const Arena& arena) {
  if (!kernel_counts_creation(namespace_entry(snapshot, arena.netns))) return;
  CHECK(sum_of(snapshot, arena.netns, "time_wait") <= arena.delta().tw);
  CHECK(sum_of(snapshot, arena.netns, "fin_wait2") >= arena.delta().tw_killed);
  if (!exact_under_steering()) CHECK(sum_of(snapshot, arena.netns, "time_wait") == arena.delta().tw);
}

// The totals are the sum over all namespaces, including those of others on this machine.
void check_totals(const json& snapshot) {
  for (const std::string field : {"created", "overflow", "no_memory"}) {
    std::int64_t sum = 0;
    for (const json& entry : snapshot.at("namespaces")) sum += number(entry, field);
    INFO(field);
    CHECK(number(snapshot.at("totals"), field) == sum);
  }
}

// If the peer acknowledges the FIN while close() still holds the socket, the orphan stays a socket. It gets its bucket
// with the peer's FIN (tcp_rcv_state_process). This was seen in emulated machines, where close() may be interrupted for
// a long time.
const std::int64_t kLateOrphans = exact_under_steering() ? 3 : 0;

void check_stage(const json& row, const std::string& stage, std::int64_t buckets) {
  CHECK(number(row, "time_wait") + number(row, "fin_wait2") == buckets);
  if (stage == "fin_wait2") CHECK(number(row, "time_wait") <= kLateOrphans);
  if (stage == "time_wait") CHECK(number(row, "fin_wait2") == 0);
}

}  // namespace

json namespace_entry(const json& snapshot, const NetnsSandbox& netns) {
  for (const json& entry : snapshot.at("namespaces")) {
    if (entry.at("netns") == netns.inode()) return entry;
  }
  return {};
}

std::vector<json> rows_of(const json& snapshot, const NetnsSandbox& netns) {
  std::vector<json> rows;
  for (const json& row : snapshot.at("rows")) {
    if (row.at("netns") == netns.inode() && counted_anything(row)) rows.push_back(row);
  }
  return rows;
}

std::vector<json> all_rows_of(const json& snapshot, const NetnsSandbox& netns) {
  std::vector<json> rows;
  for (const json& row : snapshot.at("rows")) {
    if (row.at("netns") == netns.inode()) rows.push_back(row);
  }
  return rows;
}

std::int64_t sum_of_all(const json& snapshot, const NetnsSandbox& netns, const std::string& field) {
  std::int64_t sum = 0;
  for (const json& row : all_rows_of(snapshot, netns)) sum += number(row, field);
  return sum;
}

std::int64_t sum_at(const json& snapshot, const NetnsSandbox& netns, const std::string& role, int port,
                    const std::string& field) {
  std::int64_t sum = 0;
  for (const json& row : all_rows_of(snapshot, netns)) {
    if (row.at("role") == role && row.at("port") == port) sum += number(row, field);
  }
  return sum;
}

std::int64_t listen_drops(int netns) {
  return static_cast<std::int64_t>(netns_facts(netns).counters.at("TcpExt.ListenDrops"));
}

std::int64_t overflow_queue(std::uint16_t port, int backlog, int more) {
  const std::int64_t before = listen_drops(own_netns().get());
  std::vector<base::UniqueFd> clients;
  for (int i = 0; i <= backlog; ++i) clients.push_back(connect_to(port));  // the kernel lets in one more
  for (int i = 0; i < more; ++i) clients.push_back(begin_to_connect(port));
  // On a busy machine the kernel may look at a SYN in a thread of its own, after connect() has returned.
  REQUIRE(wait_until([&] { return listen_drops(own_netns().get()) - before >= more; }));
  clients.clear();
  return listen_drops(own_netns().get()) - before;
}

void check_sum_of_drops(const json& snapshot, const NetnsSandbox& netns) {
  const std::int64_t drops = listen_drops(netns.fd());
  const json entry = namespace_entry(snapshot, netns);
  CHECK(number(entry.at("kernel"), "listen_drops") == drops);
  CHECK(number(entry, "queue_drops") == drops);
  CHECK(number(entry.at("missed"), "queue_drops") == 0);
  CHECK(sum_of_all(snapshot, netns, "queue_drops") == drops);
}

bool misses_resets(const json& snapshot) {
  for (const std::string reason : snapshot.at("probe").at("fallbacks")) {
    if (reason.find("missed.resets_sent") != std::string::npos) return true;
  }
  return false;
}

void wait_for_reset(int socket) {
  pollfd end{socket, 0, 0};  // POLLERR and POLLHUP come unasked
  REQUIRE(poll(&end, 1, 60000) == 1);
}

json row_of(const json& snapshot, const NetnsSandbox& netns, int pid) {
  for (const json& row : rows_of(snapshot, netns)) {
    if (row.at("process").is_object() && row.at("process").at("pid") == pid) return row;
  }
  return {};
}

std::int64_t number(const json& object, const std::string& field) {
  const auto found = object.is_object() ? object.find(field) : object.end();
  // No INFO() here: in an emulated machine, printing an object takes longer than everything else in a test.
  if (found == object.end() || !found->is_number_integer()) FAIL("no number " << field << " in " << object.dump());
  return found->get<std::int64_t>();
}

std::int64_t sum_of(const json& snapshot, const NetnsSandbox& netns, const std::string& field) {
  std::int64_t sum = 0;
  for (const json& row : rows_of(snapshot, netns)) sum += number(row, field);
  return sum;
}

void check_nothing_lost(const json& snapshot) {
  CHECK(number(snapshot.at("lost"), "counts") == 0);
  CHECK(number(snapshot.at("lost"), "events") == 0);
}

void check_namespace(const json& snapshot, const Arena& arena) {
  check_honest(snapshot, arena);
  const json entry = namespace_entry(snapshot, arena.netns);
  CHECK(number(entry.at("missed"), "overflow") == 0);
  CHECK(number(entry, "overflow") + number(entry, "no_memory") == arena.delta().overflow);
  if (!kernel_counts_creation(entry)) {
    // Before 5.18, only the gauge can be compared, and only if the backend sees how buckets end.
    const bool sees_removal = snapshot.at("probe").at("sees_removal");
    CHECK(entry.at("reconciled") == (sees_removal ? json(true) : json(nullptr)));
    return;
  }
  CHECK(number(entry, "created") == arena.delta().created());
  CHECK(number(entry.at("missed"), "created") == 0);
  CHECK(entry.at("reconciled") == true);
}

void check_honest(const json& snapshot, const Arena& arena) {
  const json entry = namespace_entry(snapshot, arena.netns);
  INFO("namespace " << entry.dump());
  REQUIRE(entry.is_object());
  CHECK(number(entry, "limit") == arena.netns.limit());
  CHECK(number(entry, "in_use") == arena.after.in_use);
  check_rows_add_up(snapshot, arena, entry);
  CHECK(number(entry.at("kernel"), "overflow") == arena.delta().overflow);
  CHECK(number(entry.at("kernel"), "reused") == arena.delta().reused);
  CHECK(number(entry, "overflow") + number(entry, "no_memory") + number(entry.at("missed"), "overflow") ==
        arena.delta().overflow);
  if (!kernel_counts_creation(entry)) return;
  CHECK(number(entry.at("kernel"), "created") == arena.delta().created());
  CHECK(number(entry, "created") + number(entry.at("missed"), "created") == arena.delta().created());
}

void check_identity(const json& row, const json& owner, const Arena& arena) {
  INFO("owner " << owner.dump() << " row " << row.dump());
  REQUIRE(row.is_object());
  const json& process = row.at("process");
  CHECK(process.at("pid") == owner.at("pid"));
  CHECK(process.at("comm") == owner.at("comm"));
  CHECK(process.at("uid") == owner.at("uid"));
  CHECK(process.at("pids") == 1);
  CHECK(row.at("role") == owner.at("role"));
  CHECK(row.at("port") == arena.spec.port);
  CHECK(row.at("attribution") == "closer");
  const CgroupSandbox* cgroup = owner.at("role") == "server" ? arena.spec.server_cgroup : arena.spec.client_cgroup;
  if (cgroup == nullptr) return;
  CHECK(row.at("service").at("cgroup") == cgroup->path());
  CHECK(row.at("service").at("kind") == "cgroup");
  CHECK(row.at("service").at("name") == cgroup->path());
}

void check_remembered(const json& row, const std::string& role, const Arena& arena) {
  INFO("row " << row.dump());
  REQUIRE(row.is_object());
  const bool serving = role == "server";
  CHECK(row.at("attribution") == "cgroup");
  CHECK(row.at("process").at("pid").is_null());
  CHECK(row.at("process").at("uid") == (serving ? arena.spec.server_uid : arena.spec.client_uid));
  CHECK(row.at("service").at("cgroup") == (serving ? arena.spec.server_cgroup : arena.spec.client_cgroup)->path());
  CHECK(row.at("role") == role);
  CHECK(row.at("port") == arena.spec.port);
}

void check_no_innocent(const json& snapshot, const Arena& arena, bool exact) {
  std::size_t named = 0;
  for (const json& owner : arena.workload.at("owners")) {
    const json row = row_of(snapshot, arena.netns, owner.at("pid"));
    if (row.is_null() && !exact) continue;
    check_identity(row, owner, arena);
    CHECK(number(row, "created") <= number(owner, "buckets"));
    if (exact) CHECK(number(row, "created") == number(owner, "buckets"));
    ++named;
  }
  for (const json& row : rows_of(snapshot, arena.netns)) {
    INFO(row.dump());
    if (row.at("attribution") == "closer") --named;
    CHECK((row.at("attribution") == "closer" || !exact));
  }
  CHECK(named == 0);
}

void check_owners(const json& snapshot, const Arena& arena) {
  for (const json& owner : arena.workload.at("owners")) {
    const json row = row_of(snapshot, arena.netns, owner.at("pid"));
    check_identity(row, owner, arena);
    INFO("owner " << owner.dump() << " row " << row.dump());
    CHECK(number(row, "created") == number(row, "time_wait") + number(row, "fin_wait2"));
    CHECK(number(row, "overflow") == 0);
    check_stage(row, arena.workload.at("stage"), number(owner, "buckets"));
  }
  CHECK(rows_of(snapshot, arena.netns).size() == arena.workload.at("owners").size());
}

void check_everything(const json& snapshot, const Arena& arena) {
  INFO(arena.workload.dump() << " family " << arena.spec.family);
  check_nothing_lost(snapshot);
  check_totals(snapshot);
  check_namespace(snapshot, arena);
  check_owners(snapshot, arena);
  check_substates(snapshot, arena);
}

}  // namespace twtrace::test
