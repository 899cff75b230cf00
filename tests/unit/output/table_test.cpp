// SPDX-License-Identifier: Apache-2.0
#include "output/table.hpp"

#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "base/escape.hpp"
#include "support/catch.hpp"
#include "support/snapshots.hpp"
#include "view/columns.hpp"

using namespace twtrace;
using output::Color;
using output::snapshot_table;
using output::TableOptions;

namespace {

const model::Group kGroups[] = {model::Group::kProcess, model::Group::kPid,  model::Group::kService,
                                model::Group::kPort,    model::Group::kPeer, model::Group::kNetns};

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) all.push_back(line);
  return all;
}

std::size_t widest(const std::string& text) {
  std::size_t columns = 0;
  for (const std::string& line : lines(text)) columns = std::max(columns, base::display_width(line));
  return columns;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Every text and number at its longest.
model::Snapshot long_snapshot(model::Group group) {
  model::Snapshot snapshot = test::snapshot(group);
  model::Row row = test::worker_row();
  row.process = model::ProcessId{4194304U, "\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b", 4294967294U,
                                 99999, true};
  row.service->name = "kubepods-burstable-pod0123456789abcdef-with-a-name-beyond-all-bounds.service";
  row.service->cgroup = "/" + std::string(500, 'c');
  row.port = std::uint16_t{65535};
  row.peer = model::Peer{"2001:db8:1111:2222:3333:4444:5555:6666", std::uint16_t{65535}};
  row.counts.time_wait = 12'345'678;
  row.live = 131'072;
  snapshot.rows.push_back(row);
  row.process->comm = "データベースサーバ";
  row.process->pid.reset();
  snapshot.rows.push_back(row);
  snapshot.namespaces[0].name = std::string(200, 'n');
  snapshot.namespaces[0].counts.no_memory = 5;
  snapshot.host.name = std::string(64, 'h');
  snapshot.lost = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  snapshot.rows_hidden = 1234567;
  return snapshot;
}

}  // namespace

TEST_CASE("the default table, golden") {
  model::Snapshot snapshot = test::snapshot();
  model::Row row = test::worker_row();
  row.process = model::ProcessId{{}, "nginx", {}, 4, true};
  row.service->name = "nginx.service";
  row.role = model::Role::kServer;
  row.port = std::uint16_t{80};
  row.counts = {96, 0, 0, 0, 0, 0, 0, 0, 0};
  row.live.reset();
  row.created_per_s = 0.4;
  snapshot.rows.push_back(row);
  row.process.reset();
  row.attribution = model::Attribution::kCgroup;
  snapshot.rows.push_back(row);
  model::Row rest;
  rest.kind = model::RowKind::kUnattributed;
  rest.counts.time_wait = 3;
  snapshot.rows.push_back(rest);

  CHECK(snapshot_table(snapshot, {}) ==
        "2026-01-02T03:04:05Z  web1  fentry  interval 1.0s\n"
        "! FULL worker.service holds 4,903 of 5,000 (98%)\n"
        "  refused now: worker.service 312/s, 100%\n"
        "TIME_WAIT 4,998/5,000 (99%)  netns host  created 812/s\n"
        "  ! overflow 312/s total 1,204  = kernel\n"
        "      PID COMMAND      SERVICE      ROLE   PORT CREATED/s CREATED OVERFLOW LIVE\n"
        "!     812 redis-worker worker.serv~ client 6379       812    5018     1204 4903\n"
        " x 4 pids nginx        nginx.servi~ server   80       0.4      96        0    -\n"
        " ~      - -            nginx.servi~ server   80       0.4      96        0    -\n"
        "        - (unattribut~ -            -         -         0       3        0    -\n");
}

TEST_CASE("no line is wider than asked, whatever the names") {
  for (const model::Group group : kGroups) {
    const model::Snapshot snapshot = long_snapshot(group);
    INFO(model::to_string(group));
    CHECK(widest(snapshot_table(snapshot, {})) <= 79);
    for (std::size_t width = 3; width <= 200; ++width) {
      for (const bool wide : {false, true}) {
        TableOptions options;
        options.width = width;
        options.wide = wide;
        if (widest(snapshot_table(snapshot, options)) > width) FAIL("too wide at " << width);
      }
    }
  }
}

TEST_CASE("at 40 columns the table keeps who and how many were refused") {
  TableOptions options;
  options.width = 40;
  const std::string text = snapshot_table(test::snapshot(), options);
  CHECK(widest(text) <= 40);
  CHECK(has(text, "\n   COMMAND      PORT CREATED/s OVERFLOW\n!  redis-worker 6379       812     1204\n"));
}

TEST_CASE("who and how many are cut in the end, but never dropped") {
  TableOptions options;
  options.width = 18;
  const std::vector<std::string> all = lines(snapshot_table(test::snapshot(), options));
  REQUIRE(all.size() > 2);
  CHECK(all[all.size() - 2] == "   COMMAND  OVERF~");
  CHECK(all.back() == "!  redis-w~     1~");
}

TEST_CASE("a row that is there for its harm alone says so, whatever has to go for that") {
  struct Case {
    std::uint64_t model::Counters::*count;
    const char* title;
  };
  for (const auto& [count, title] :
       {Case{&model::Counters::resets_felt, "FELT"}, Case{&model::Counters::no_port, "NO_PORT"},
        Case{&model::Counters::queue_drops, "Q_DROPS"}}) {
    for (const model::Group group : kGroups) {
      INFO(title << " by " << model::to_string(group));
      model::Snapshot snapshot = test::snapshot(group);
      snapshot.rows[0].counts = {};
      CHECK_FALSE(has(snapshot_table(snapshot, {}), title));
      snapshot.rows[0].counts.*count = 1234;
      snapshot.rows[0].live = 0;
      snapshot.rows[0].service->name = "a-service-with-a-very-long-name-that-nobody-wants-to-type.service";
      const std::vector<std::string> all = lines(snapshot_table(snapshot, {}));
      CHECK(has(all[all.size() - 2], title));
      CHECK(has(all.back(), " 1234"));
      for (const std::string& line : all) CHECK(base::display_width(line) <= 80);
    }
  }
}

TEST_CASE("after a load has ended no row has zeros only, and the column that sorts is there") {
  for (const model::Group group : kGroups) {
    for (const view::SortName& sort : view::sort_names()) {
      INFO(model::to_string(group) << " by " << sort.name);
      model::Snapshot snapshot = test::snapshot(group);
      model::Row& row = snapshot.rows[0];
      row.service->name = "a-service-with-a-very-long-name-that-nobody-wants-to-type.service";
      row.peer = model::Peer{"2001:db8:1111:2222:3333:4444:5555:6666", std::uint16_t{6379}};
      row.created_per_s = row.overflow_per_s = 0;
      row.counts = {};
      row.live = 0;
      snapshot.rows.push_back(row);
      snapshot.rows[0].counts.time_wait = 123'456;
      snapshot.rows[1].live = 77;
      TableOptions options;
      options.sort = sort.column;
      const std::vector<std::string> all = lines(snapshot_table(snapshot, options));
      CHECK(has(all[all.size() - 3], "CREATED "));
      CHECK(has(all[all.size() - 2], " 123456"));
      CHECK(has(all.back(), " 77"));
      CHECK(widest(snapshot_table(snapshot, options)) <= 79);
      for (const view::Column& column : view::columns(group, true)) {
        if (column.sort == sort.column) CHECK(has(all[all.size() - 3] + ' ', ' ' + std::string(column.title) + ' '));
      }
    }
  }
}

TEST_CASE("a row that has more harm than buckets says so") {
  model::Snapshot snapshot = test::snapshot();
  model::Counters& counts = snapshot.rows[0].counts;
  counts = {};
  counts.time_wait = 100;
  counts.no_port = 100;
  snapshot.rows[0].service->name = "a-service-with-a-long-name.service";
  CHECK_FALSE(has(snapshot_table(snapshot, {}), "NO_PORT"));
  counts.no_port = 101;
  CHECK(has(snapshot_table(snapshot, {}), "NO_PORT"));
  CHECK(has(snapshot_table(snapshot, {}), " 101\n"));
}

TEST_CASE("harm beside buckets is shown where no text is cut for it") {
  model::Snapshot snapshot = test::snapshot();
  snapshot.rows[0].counts.queue_drops = snapshot.rows[0].counts.no_port = 0;
  TableOptions options;
  options.width = 85;
  CHECK(has(snapshot_table(snapshot, options), " FELT"));
  options.width = 80;
  CHECK_FALSE(has(snapshot_table(snapshot, options), " FELT"));
  snapshot.rows[0].counts.resets_felt = 0;
  options.width = 0;
  CHECK_FALSE(has(snapshot_table(snapshot, options), " FELT"));
}

TEST_CASE("an unlimited table cuts nothing") {
  TableOptions options;
  options.wide = true;
  options.width = 0;
  const std::string text = snapshot_table(long_snapshot(model::Group::kProcess), options);
  CHECK(has(text, "kubepods-burstable-pod0123456789abcdef-with-a-name-beyond-all-bounds.service"));
  CHECK(has(text, "データベースサーバ"));
  CHECK(has(text, "4294967294"));
  CHECK(has(text, "CGROUP"));
  CHECK(has(text, "ATTRIBUTION"));
  CHECK_FALSE(has(text, "~"));
}

TEST_CASE("columns stay aligned beside wide and combining characters") {
  model::Snapshot snapshot = test::snapshot();
  snapshot.rows[0].process->comm = "データ";
  snapshot.rows.push_back(test::worker_row());
  snapshot.rows[1].process->comm = "e\u0301t\u00e9";
  const std::vector<std::string> all = lines(snapshot_table(snapshot, {}));
  REQUIRE(all.size() == 8);
  CHECK(base::display_width(all[5]) == base::display_width(all[6]));
  CHECK(base::display_width(all[6]) == base::display_width(all[7]));
}

TEST_CASE("hostile names reach the terminal as visible text") {
  model::Snapshot snapshot = test::snapshot();
  snapshot.rows[0].process->comm = "\x1b[2J\nx\u202e\xff";
  snapshot.rows[0].service->name = "a\rb\u009b";
  snapshot.host.name = "\x1b]0;own\a";
  snapshot.namespaces[0].name = "n\n\x1b";
  TableOptions options;
  options.width = 0;
  options.wide = true;
  const std::string text = snapshot_table(snapshot, options);
  CHECK(has(text, "\\x1B[2J\\x0Ax\\u{202E}\\xFF"));
  CHECK(has(text, "a\\x0Db\\u{009B}"));
  CHECK(lines(text).size() == 5);
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7f) FAIL("control character in the table");
  }
  CHECK(base::is_valid_utf8(text));
}

TEST_CASE("a process cannot pass for the (unattributed) row") {
  model::Snapshot snapshot = test::snapshot();
  snapshot.rows[0].process->comm = "(unattributed)";
  const std::vector<std::string> all = lines(snapshot_table(snapshot, {}));
  CHECK(has(all.back(), " 812 "));
}

TEST_CASE("the peer table, golden") {
  model::Snapshot snapshot = test::snapshot(model::Group::kPeer);
  snapshot.rows[0].peer = model::Peer{"10.0.0.2", std::uint16_t{6379}};
  snapshot.rows.push_back(test::worker_row());  // a row without a known peer
  const std::vector<std::string> all = lines(snapshot_table(snapshot, {}));
  REQUIRE(all.size() == 8);
  CHECK(all[5] == "   PEER     COMMAND     SERVICE     ROLE   PORT CREATED/s CREATED OVERFLOW LIVE");
  CHECK(all[6] == "!  10.0.0.2 redis-work~ worker.ser~ client 6379       812    5018     1204 4903");
  CHECK(all[7] == "!  -        redis-work~ worker.ser~ client 6379       812    5018     1204 4903");
}

TEST_CASE("the peer table says how many buckets are left where it knows that of a row") {
  model::Snapshot snapshot = test::snapshot(model::Group::kPeer);
  snapshot.rows[0].peer = model::Peer{"10.0.0.2", std::uint16_t{6379}};
  snapshot.rows[0].live.reset();
  CHECK_FALSE(has(snapshot_table(snapshot, {}), " LIVE"));
  model::Row older = test::worker_row();
  older.kind = model::RowKind::kBeforeStart;
  older.live = 77;
  snapshot.rows.push_back(older);
  CHECK(has(snapshot_table(snapshot, {}), " LIVE\n"));
  CHECK(has(snapshot_table(snapshot, {}), " 77\n"));
}

TEST_CASE("rows that stand for others are named in every group") {
  for (const model::Group group : kGroups) {
    INFO(model::to_string(group));
    model::Snapshot snapshot = test::snapshot(group);
    model::Row row;
    row.kind = model::RowKind::kOther;
    snapshot.rows = {row};
    CHECK(has(snapshot_table(snapshot, {}), "(other)"));
    snapshot.rows[0].kind = model::RowKind::kUnattributed;
    CHECK(has(snapshot_table(snapshot, {}), "(unattributed)"));
  }
  model::Snapshot snapshot = test::snapshot(model::Group::kNetns);
  model::Row row;
  row.kind = model::RowKind::kGone;
  row.namespaces = 12345;
  snapshot.rows = {row};
  CHECK(has(snapshot_table(snapshot, {}), "(12,345 gone)"));
}

TEST_CASE("colour marks overflow and nothing rests on it") {
  model::Snapshot snapshot = test::snapshot();
  TableOptions colored;
  colored.color = Color::kAlways;
  std::string text = snapshot_table(snapshot, colored);
  CHECK(has(text, "\x1b[31m! overflow 312/s total 1,204\x1b[0m"));
  CHECK(has(text, "\n\x1b[31m!  812 redis-worker"));
  for (const std::string code : {"\x1b[31m", "\x1b[0m"}) {
    for (std::size_t at; (at = text.find(code)) != std::string::npos;) text.erase(at, code.size());
  }
  CHECK(text == snapshot_table(snapshot, {}));

  snapshot.rows[0].counts.overflow_time_wait = snapshot.rows[0].counts.overflow_fin_wait2 = 0;
  snapshot.namespaces[0].counts = snapshot.rows[0].counts;
  snapshot.namespaces[0].overflow_per_s = 0;
  snapshot.troubles.clear();
  CHECK_FALSE(has(snapshot_table(snapshot, colored), "\x1b"));
  CHECK_FALSE(has(snapshot_table(snapshot, {}), "!"));
  CHECK(has(snapshot_table(snapshot, {}), "overflow 0"));
}

TEST_CASE("a row that was refused for want of memory is marked as well") {
  model::Snapshot snapshot = test::snapshot();
  model::Counters& counts = snapshot.rows[0].counts;
  counts = {};
  counts.no_memory = 1;
  TableOptions colored;
  colored.color = Color::kAlways;
  CHECK(has(snapshot_table(snapshot, colored), "\n\x1b[31m!  812 redis-worker"));
}

TEST_CASE("unknown removals are a dash in the wide table, known zeros are zeros") {
  model::Snapshot snapshot = test::snapshot();
  snapshot.rows[0].counts.expired = 0;
  TableOptions options;
  options.wide = true;
  options.width = 0;
  const std::string known = snapshot_table(snapshot, options);
  CHECK(has(known, "0       0     13       17     19"));
  snapshot.probe.sees.removal = false;
  const std::string unknown = snapshot_table(snapshot, options);
  CHECK(has(unknown, "0       -      -        -      -"));
}

TEST_CASE("that the options leave no row is said") {
  const char* const said = "no row matches the command-line filters";
  TableOptions filtered;
  filtered.filtered = true;
  model::Snapshot snapshot = test::snapshot();
  CHECK_FALSE(has(snapshot_table(snapshot, filtered), said));
  snapshot.rows.clear();
  CHECK(lines(snapshot_table(snapshot, filtered)).back() == said);
  CHECK_FALSE(has(snapshot_table(snapshot, {}), said));
}

TEST_CASE("the last line says how many rows were cut") {
  model::Snapshot snapshot = test::snapshot();
  CHECK_FALSE(has(snapshot_table(snapshot, {}), "more rows"));
  snapshot.rows_hidden = 1234;
  CHECK(lines(snapshot_table(snapshot, {})).back() == "   +1,234 more rows");
}
