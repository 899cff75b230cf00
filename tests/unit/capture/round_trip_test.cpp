// SPDX-License-Identifier: Apache-2.0
// The reader returns what the writer got.
#include <unistd.h>

#include <chrono>
#include <future>
#include <limits>
#include <map>

#include "capture/increments.hpp"
#include "capture/marker.hpp"
#include "support/catch.hpp"
#include "world.hpp"

using namespace twtrace;
using namespace twtrace::test;

namespace {

model::Event reused_event() {
  model::Event event;
  event.kind = model::Event::Kind::kRemoved;
  event.reason = model::Event::Reason::kReused;
  event.time_unix_ms = World::kStart + 5;
  event.age_s = 1.5;
  event.netns = 4026531840U;
  event.netns_id = 1;
  event.process = model::ProcessId{812, "redis", 33, 1, false};
  event.uid = 33;
  event.service = systemd("redis.service");
  event.role = model::Role::kServer;
  event.port = 6379;
  event.attribution = model::Attribution::kCloser;
  event.local_address = "10.0.0.1";
  event.local_port = 6379;
  event.remote_address = "10.0.0.2";
  event.remote_port = 40001;
  return event;
}

}  // namespace

TEST_CASE("every sample is read as it was written", "[capture]") {
  const auto seed = GENERATE(range(1U, 6U));
  Captured captured(seed);
  captured.add(61);
  captured.finish();
  const auto reader = open_capture(captured.path);
  const auto samples = read_samples(*reader);
  REQUIRE(samples.size() == 61);
  for (std::size_t i = 0; i < samples.size(); ++i) REQUIRE(samples[i] == captured.samples[i]);
  CHECK(read_samples(*reader) == samples);  // as often as wanted
}

TEST_CASE("what a capture says of itself is read as it was written", "[capture]") {
  Captured captured;
  model::CapturedCommand command = *World::info().command;
  command.started_unix_ms = World::kStart + 3;
  command.ended_unix_ms = World::kStart + 1009;
  command.signal = 15;
  REQUIRE(captured.writer->set_command(command));
  REQUIRE(captured.writer->add_mark({World::kStart + 17, "later"}));
  REQUIRE(captured.writer->add_mark({World::kStart + 13, "\xff'\n"}));
  model::NetnsSettings blue;
  blue.netns = 4026532281U;
  blue.netns_id = 2;
  blue.name = "blue";
  blue.limit = 101;
  REQUIRE(captured.writer->add_settings({blue}));
  const std::vector<model::SeenProcess> seen = {
      {{"systemd", "web.service", "/system.slice/web.service", {}, {}}, "nginx"}, {{}, "\xff'"}};
  REQUIRE(captured.writer->add_processes({seen[0]}));
  REQUIRE(captured.writer->add_processes(seen));
  captured.add(2);
  captured.finish();
  const model::CaptureInfo info = open_capture(captured.path)->info();
  const model::CaptureInfo written = World::info();
  CHECK(info.twtrace_version == "1.2.3");
  CHECK(info.host.name == "web1");
  CHECK(info.host.kernel == "6.12.0");
  CHECK(info.probe.backend == "fentry");
  CHECK(info.probe.sees.removal);
  CHECK(info.probe.sees.no_port);
  CHECK(info.probe.sees.resets_received);
  CHECK(info.probe.sees.resets_sent);
  CHECK(info.probe.sees.queue_drops);
  CHECK(info.probe.sees.no_port_bind);
  CHECK(info.probe.fallbacks == written.probe.fallbacks);
  CHECK(info.interval_s == 0.5);
  CHECK(info.started_unix_ms == World::kStart);
  CHECK(info.ended_unix_ms == World::kStart + 77'000);
  CHECK(info.bucket_bytes == 248U);
  REQUIRE(info.command);
  CHECK(info.command->argv == written.command->argv);
  CHECK(info.command->started_unix_ms == World::kStart + 3);
  CHECK(info.command->ended_unix_ms == World::kStart + 1009);
  CHECK_FALSE(info.command->exit_code);
  CHECK(info.command->signal == 15);
  REQUIRE(info.marks.size() == 2);
  CHECK(info.marks[0].name == "\xff'\n");
  CHECK(info.marks[1].time_unix_ms == World::kStart + 17);
  REQUIRE(info.settings_at_start.size() == 2);
  CHECK(info.settings_at_start[0].limit == 5000U);
  CHECK(info.settings_at_start[0].ephemeral_ports == 28232U);
  CHECK_FALSE(info.settings_at_start[0].somaxconn);
  CHECK(info.settings_at_start[1].name == "blue");
  CHECK(info.settings_at_start[1].limit == 101U);
  CHECK(info.settings_at_start[1].netns_id == 2U);
  REQUIRE(info.settings_at_end.size() == 1);
  CHECK(info.settings_at_end[0].limit == 5003U);
  CHECK(info.seen == seen);
}

TEST_CASE("a capture keeps its budgets, and an old one has none", "[capture]") {
  const kernel::TempTree tree;
  const std::string path = tree / "t.db";
  model::CaptureInfo info = World::info();
  info.budgets = {"overflow>0", "created{comm=\"\xff'\"}>5"};
  auto target = capture::TargetFile::check(path, capture::invoker());
  REQUIRE(target);
  auto writer = capture::Writer::create(std::move(*target), info, {41, 43'000'000'000});
  REQUIRE(writer);
  World world(1);
  world.sample([&](const auto& head, const auto& source) { REQUIRE(writer->append(head, source)); });
  REQUIRE(writer->finish(World::kStart + 7000, {}));
  CHECK(open_capture(path)->info().budgets == info.budgets);
  make_version(path, 5);
  CHECK(open_capture(path)->info().budgets.empty());
}

TEST_CASE("a capture keeps lines of logs with their samples, and an old one has none", "[capture]") {
  const kernel::TempTree tree;
  const std::string path = tree / "t.db";
  model::CaptureInfo info = World::info();
  info.logs = {{model::Log::Kind::kFile, "/var/log/\xff'.log", "a|b", {}},
               {model::Log::Kind::kJournal, "web.service", "refused", {}}};
  auto target = capture::TargetFile::check(path, capture::invoker());
  REQUIRE(target);
  auto writer = capture::Writer::create(std::move(*target), info, {41, 43'000'000'000});
  REQUIRE(writer);
  const std::vector<std::vector<model::LogLine>> written = {
      {{0, World::kStart + 5, 1, std::string("a\0\x1b\xff", 4)}, {1, World::kStart + 6, 307, {}}},
      {},
      {{1, World::kStart + 1400, 1, ""}}};
  World world(1);
  for (const auto& lines : written) {
    world.sample([&](const auto& head, const auto& source) {
      model::Snapshot with_lines = head;
      if (!lines.empty()) with_lines.log_lines = std::make_shared<const std::vector<model::LogLine>>(lines);
      REQUIRE(writer->append(with_lines, source));
    });
  }
  info.logs[0].gaps = {3, 1ULL << 33U, "it did not appear during the capture"};
  REQUIRE(writer->set_log_gaps({info.logs[0].gaps, info.logs[1].gaps}));
  REQUIRE(writer->finish(World::kStart + 7000, {}));

  const auto reader = open_capture(path);
  REQUIRE(reader->info().logs.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(reader->info().logs[i].kind == info.logs[i].kind);
    CHECK(reader->info().logs[i].name == info.logs[i].name);
    CHECK(reader->info().logs[i].pattern == info.logs[i].pattern);
    CHECK(reader->info().logs[i].gaps == info.logs[i].gaps);
  }
  std::vector<std::vector<model::LogLine>> read;
  REQUIRE(reader->for_each(model::Wanted::kHeads, [&](const model::SnapshotPtr& head, const model::Source&) {
    read.push_back(head->log_lines ? *head->log_lines : std::vector<model::LogLine>());
    return true;
  }));
  CHECK(read == written);
  read.clear();
  REQUIRE(reader->for_each(model::Wanted::kAll, [&](const model::SnapshotPtr& head, const model::Source&) {
    REQUIRE(head->logs);
    CHECK(head->logs->size() == 2);
    read.push_back(head->log_lines ? *head->log_lines : std::vector<model::LogLine>());
    return true;
  }));
  CHECK(read == written);
  make_version(path, 6);
  CHECK(open_capture(path)->info().logs.empty());
  CHECK(read_samples(*open_capture(path)).size() == 3);
}

TEST_CASE("a line that came late is of the sample in whose interval it was written", "[capture]") {
  const kernel::TempTree tree;
  const std::string path = tree / "t.db";
  model::CaptureInfo info = World::info();
  info.logs = {{model::Log::Kind::kJournal, "web.service", "refused", {}}};
  auto target = capture::TargetFile::check(path, capture::invoker());
  REQUIRE(target);
  auto writer = capture::Writer::create(std::move(*target), info, {41, 43'000'000'000});
  REQUIRE(writer);
  World world(1);
  std::int64_t end = 0;
  const auto add = [&](const std::vector<std::int64_t>& times) {
    end += 500;
    world.sample([&](const auto& head, const auto& source) {
      model::Snapshot with_lines = head;
      with_lines.time_unix_ms = World::kStart + end;
      auto lines = std::make_shared<std::vector<model::LogLine>>();
      for (const std::int64_t time : times) lines->push_back({0, World::kStart + time, 1, std::to_string(time)});
      with_lines.log_lines = std::move(lines);
      REQUIRE(writer->append(with_lines, source));
    });
  };
  add({400});
  add({490, 500, 501});
  add({1000, 1400, 100});
  add({-5});  // from before the start, so the clock was set
  for (int i = 0; i < 20; ++i) add({});
  add({12'000, 1400, 12'001, 13'000});  // 1400 is too long ago
  REQUIRE(writer->finish(World::kStart + 77'000, {}));

  std::map<std::size_t, std::vector<std::string>> read;
  std::size_t sample = 0;
  REQUIRE(
      open_capture(path)->for_each(model::Wanted::kHeads, [&](const model::SnapshotPtr& head, const model::Source&) {
        ++sample;
        if (!head->log_lines) return true;
        for (const model::LogLine& line : *head->log_lines) read[sample].push_back(line.text.value());
        return true;
      }));
  CHECK(read == std::map<std::size_t, std::vector<std::string>>{{1, {"400", "490", "500", "100"}},
                                                                {2, {"501", "1000"}},
                                                                {3, {"1400"}},
                                                                {4, {"-5"}},
                                                                {24, {"12000"}},
                                                                {25, {"1400", "12001", "13000"}}});
}

TEST_CASE("lines of logs that cannot be are refused", "[capture]") {
  const std::string row = GENERATE(as<std::string>{}, "1,2,5,1,'x'", "1,0,5,1,'x'", "1,1,-5,1,'x'", "1,1,5,-1,'x'",
                                   "1,1,5,1,x'00'", "1,1,5,1,hex(zeroblob(300))", "99,1,5,1,'x'");
  Captured captured;
  captured.add(2);
  captured.finish();
  run_sql(captured.path,
          "INSERT INTO log VALUES(1,'file','a','b',0,0,''); INSERT INTO log_line VALUES(NULL," + row + ")");
  INFO(row);
  const auto reader = open_capture(captured.path);
  const auto read =
      reader->for_each(model::Wanted::kHeads, [](const model::SnapshotPtr&, const model::Source&) { return true; });
  REQUIRE_FALSE(read);
  CHECK(read.error().what.find("table log_line has impossible values") != std::string::npos);
}

TEST_CASE("a log that cannot be is refused", "[capture]") {
  const std::string values = GENERATE(as<std::string>{}, "2,'file','a','b',0,0,''", "1,'pipe','a','b',0,0,''",
                                      "1,'file','a','b',-1,0,''", "1,'file','a',NULL,0,0,''");
  Captured captured;
  captured.add(1);
  captured.finish();
  INFO(values);
  try {
    run_sql(captured.path, "INSERT INTO log VALUES(" + values + ")");
  } catch (const std::runtime_error&) {
    return;  // SQLite refuses it
  }
  CHECK_FALSE(capture::Reader::open(captured.path));
}

TEST_CASE("a finished capture is one plain file that any client opens", "[capture]") {
  Captured captured;
  captured.add(5);
  CHECK(std::filesystem::exists(captured.path + "-wal"));
  captured.finish();
  for (const char* suffix : {"-wal", "-shm", "-journal"}) CHECK_FALSE(std::filesystem::exists(captured.path + suffix));
  CHECK(query(captured.path, "PRAGMA integrity_check") == std::vector<std::string>{"ok"});
  CHECK(query(captured.path, "PRAGMA journal_mode") == std::vector<std::string>{"delete"});
}

// The rule of the schema: at every moment, the increments add up. That includes those moved between owners.
TEST_CASE("sums over owners and namespaces are right at every sample", "[capture]") {
  Captured captured(7);
  std::vector<std::uint64_t> created;
  for (int i = 0; i < 47; ++i) {
    captured.world.sample([&](const model::Snapshot& head, const model::Source& source) {
      created.push_back(head.totals.created() - head.unattributed.created());
      REQUIRE(captured.writer->append(head, source));
    });
  }
  captured.finish();
  const auto owners = query(captured.path, "SELECT sum(time_wait + fin_wait2) FROM owner_sample GROUP BY sample");
  const auto negative = query(captured.path, "SELECT count(*) FROM owner_sample WHERE time_wait < 0 AND NOT moved");
  const auto moved = query(captured.path, "SELECT count(*) > 0 FROM owner_sample WHERE time_wait < 0 AND moved");
  REQUIRE(owners.size() == created.size());
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < owners.size(); ++i) {
    sum += std::stoull(owners[i]);
    CHECK(sum == created[i]);
  }
  CHECK(negative == std::vector<std::string>{"0"});
  CHECK(moved == std::vector<std::string>{"1"});
  const auto by_netns = query(captured.path,
                              "SELECT sum(time_wait + fin_wait2 - unattributed_time_wait - unattributed_fin_wait2) "
                              "FROM netns_sample");
  CHECK(by_netns == std::vector<std::string>{std::to_string(created.back())});
}

TEST_CASE("nothing is written of an owner that stays as it is", "[capture]") {
  Captured captured;
  model::RowTable table(10);
  const model::PeerTable peers(10);
  table.add(1, 1, worker(812));
  table.set(1, {3, 0, 0, 0, 0, 0, 0, 0, 0}, 3, false);
  const std::vector<model::NetnsInfo> infos = {{1, 4026531840U, "host", {}, {}}};
  for (int i = 0; i < 5; ++i) {
    model::Snapshot head;
    head.time_unix_ms = World::kStart;
    REQUIRE(captured.writer->append(head, model::CurrentSource(table, peers, infos)));
    table.begin_interval();
  }
  captured.finish();
  CHECK(query(captured.path, "SELECT count(*), sum(time_wait) FROM owner_sample") == std::vector<std::string>{"1|3"});
  CHECK(query(captured.path, "SELECT count(*) FROM netns_sample") == std::vector<std::string>{"1"});
  CHECK(query(captured.path, "SELECT count(*) FROM sample") == std::vector<std::string>{"5"});
}

TEST_CASE("events are rows, with the next sample", "[capture]") {
  Captured captured;
  for (int i = 0; i < 17; ++i) REQUIRE(captured.writer->add_event(reused_event()));
  captured.add(1);
  captured.finish();
  CHECK(query(captured.path,
              "SELECT DISTINCT e.kind, substate, reason, age_s, cookie, netns, pid, comm, s.name, role, port, "
              "local_address, remote_port FROM event e JOIN service s ON s.id = e.service") ==
        std::vector<std::string>{
            "removed|time_wait|reused|1.5||4026531840|812|redis|redis.service|server|6379|10.0.0.1|40001"});
  CHECK(query(captured.path, "SELECT count(*) FROM event") == std::vector<std::string>{"17"});
}

TEST_CASE("samples share what did not change of queues, however often the file tells it", "[capture]") {
  Captured captured;
  captured.add(9);
  captured.finish();
  std::vector<std::shared_ptr<const std::vector<model::ListenQueue>>> queues;
  const auto read = open_capture(captured.path)
                        ->for_each(model::Wanted::kHeads, [&](const model::SnapshotPtr& head, const model::Source&) {
                          queues.push_back(head->queues);
                          return true;
                        });
  REQUIRE(read);
  REQUIRE(queues.size() == 9);
  // Dropped in the third and the sixth, so the rates of the fourth and the seventh are other ones.
  CHECK(queues[4] == queues[3]);
  CHECK(queues[7] == queues[6]);
  CHECK(queues[5] != queues[4]);
  CHECK(queues[6] != queues[5]);
  for (const std::size_t sample : {2U, 5U, 8U}) {
    REQUIRE(queues[sample]->size() == 2);
    for (const model::ListenQueue& queue : *queues[sample]) CHECK(&*queue.service == &*queues[8]->front().service);
  }
}

TEST_CASE("an event is read as it was written", "[capture]") {
  Captured captured;
  model::Event unknown;
  unknown.kind = model::Event::Kind::kNoMemory;
  unknown.substate = model::Event::Substate::kFinWait2;
  unknown.time_unix_ms = World::kStart + 6;
  unknown.cookie = 0xffff'ffff'ffff'fffeU;
  unknown.attribution = model::Attribution::kCgroup;
  unknown.service = systemd("\xff'\n");
  unknown.uid = 0;
  REQUIRE(captured.writer->add_event(reused_event()));
  REQUIRE(captured.writer->add_event(unknown));
  captured.add(1);
  captured.finish();
  const auto events = open_capture(captured.path)->events_until(World::kStart + 6, 9);
  REQUIRE(events);
  REQUIRE(events->size() == 2);
  model::Event known = reused_event();
  known.netns_name = "host";
  CHECK(describe(events->at(0)) == describe(known));
  CHECK(describe(events->at(1)) == describe(unknown));
}

TEST_CASE("what is told of a namespace is told by its id, not by its inode number", "[capture]") {
  Captured captured;
  model::Event first = reused_event();
  model::Event second = reused_event();
  second.netns_id = 2;
  REQUIRE(captured.writer->add_event(first));
  REQUIRE(captured.writer->add_event(second));
  model::NetnsSettings settings = World::settings(101);
  settings.netns_id = 2;
  REQUIRE(captured.writer->add_settings({settings}));
  captured.add(9);  // the second namespace is there from the eighth on
  captured.finish();
  run_sql(captured.path, "UPDATE netns SET inode=4026531840, name=CASE id WHEN 1 THEN 'old' ELSE 'young' END");
  const auto reader = open_capture(captured.path);
  const auto events = reader->events_until(World::kStart + 99, 9);
  REQUIRE(events);
  REQUIRE(events->size() == 2);
  CHECK(events->at(0).netns_id == 1U);
  CHECK(events->at(0).netns_name == "old");
  CHECK(events->at(1).netns_id == 2U);
  CHECK(events->at(1).netns_name == "young");
  REQUIRE(reader->info().settings_at_start.size() == 2);
  REQUIRE(reader->info().namespaces.size() == 2);
  CHECK(reader->info().namespaces[1].id == 2);
  CHECK(reader->info().settings_at_start[0].netns_id == 1U);
  CHECK(reader->info().settings_at_start[1].netns_id == 2U);
}

TEST_CASE("a namespace that the trace has forgotten, because nothing was counted in it, is gone in the file",
          "[capture]") {
  Captured captured(3);
  const model::RowTable table(5);
  const model::PeerTable peers(5);
  std::vector<model::NetnsInfo> infos = {{1, 4026531840U, "host", {}, {}}, {2, 4026532281U, "idle", {}, {}}};
  model::Snapshot head;
  head.namespaces.resize(2);
  for (std::size_t i = 0; i < 2; ++i) {
    head.namespaces[i].id = infos[i].id;
    head.namespaces[i].netns = infos[i].inum;
    head.namespaces[i].in_use = 0;
  }
  const auto append = [&] {
    head.time_unix_ms += 1000;
    head.interval_s = 1;
    REQUIRE(captured.writer->append(head, model::CurrentSource(table, peers, infos)));
  };
  append();
  infos.pop_back();
  head.namespaces.pop_back();
  append();
  append();
  captured.finish();
  std::vector<bool> gone;
  REQUIRE(open_capture(captured.path)->for_each(model::Wanted::kAll, [&](const auto& seen, const auto&) {
    for (const model::NetnsRow& row : seen->namespaces) {
      if (row.id == 2) gone.push_back(row.gone && !row.in_use);
    }
    return true;
  }));
  CHECK(gone == std::vector<bool>{false, true, true});
}

TEST_CASE("an old capture has no ids: they are told where one namespace had the inode number", "[capture]") {
  const int version = GENERATE(1, 2, 3);
  Captured captured(3);
  REQUIRE(captured.writer->add_event(reused_event()));
  captured.add(23);
  captured.finish();
  make_version(captured.path, version);
  const auto known = [&](std::optional<std::uint32_t> id) {
    const auto reader = open_capture(captured.path);
    CHECK(reader->info().settings_at_start.at(0).netns_id == id);
    CHECK(reader->info().settings_at_end.at(0).netns_id == id);
    const auto events = reader->events_until(World::kStart + 99, 9);
    REQUIRE(events);
    CHECK(events->at(0).netns == 4026531840U);
    CHECK(events->at(0).netns_id == id);
    CHECK(events->at(0).netns_name == (id ? "host" : ""));
    std::size_t ports = 0;
    REQUIRE(reader->for_each(model::Wanted::kHeads, [&](const model::SnapshotPtr& head, const model::Source&) {
      if (!head->port_use) return true;
      for (const model::PortUse& use : *head->port_use) CHECK(use.netns_id == id);
      ports += head->port_use->size();
      return true;
    }));
    CHECK(ports != 0);
  };
  known(1);
  run_sql(captured.path, "UPDATE netns SET inode=4026531840");
  known(std::nullopt);
}

TEST_CASE("an old capture has no counts of who was hurt: they are not known, and not 0", "[capture]") {
  const int version = GENERATE(1, 4);
  Captured captured(5);
  captured.add(7);
  captured.finish();
  const auto hurt = [&] {
    const auto reader = open_capture(captured.path);
    std::uint64_t sum = 0;
    REQUIRE(reader->for_each(model::Wanted::kAll, [&](const model::SnapshotPtr& head, const model::Source& source) {
      sum = head->totals.no_port + head->unattributed.resets_felt;
      source.visit([&](const model::Fact& fact) { sum += fact.counts.resets_received; });
      return true;
    }));
    return std::pair(reader->info().probe.sees.no_port && reader->info().probe.sees.resets_received, sum);
  };
  CHECK(hurt().first);
  CHECK(hurt().second != 0);
  make_version(captured.path, version);
  CHECK_FALSE(hurt().first);
  CHECK(hurt().second == 0);
}

TEST_CASE("a capture of before this version has no resets sent, but the rest of the harm") {
  Captured captured(5);
  captured.add(23);
  captured.finish();
  const auto sums = [&] {
    const auto reader = open_capture(captured.path);
    model::Counters all;
    std::uint64_t of_kernel = 0;
    REQUIRE(reader->for_each(model::Wanted::kAll, [&](const model::SnapshotPtr& head, const model::Source& source) {
      all = head->totals + head->unattributed;
      source.visit([&](const model::Fact& fact) { all += fact.counts; });
      for (const model::NetnsRow& row : head->namespaces) {
        of_kernel += row.kernel.out_resets.value_or(0) + row.missed.resets_sent.value_or(0);
      }
      of_kernel += head->lost.refused_full;
      return true;
    }));
    CHECK(reader->info().probe.sees.resets_received);
    return std::tuple(all, of_kernel, reader->info().probe.sees.resets_sent);
  };
  const auto [now, of_kernel, seen] = sums();
  CHECK(now.peer_resets_avoidable != 0);
  CHECK(of_kernel != 0);
  CHECK(seen);
  make_version(captured.path, 5);
  const auto [then, of_kernel_then, seen_then] = sums();
  CHECK(then.resets_sent() + then.peer_resets_avoidable == 0);
  CHECK(of_kernel_then == 0);
  CHECK_FALSE(seen_then);
  CHECK(then.resets_felt == now.resets_felt);
  CHECK(then.no_port == now.no_port);
}

TEST_CASE("a capture of before this version does not know what listening sockets dropped", "[capture]") {
  Captured captured(5);
  captured.add(23);
  captured.finish();
  struct Sums {
    std::uint64_t drops = 0, missed = 0;
    std::size_t queues = 0;
    bool known = false, seen = false;
    bool operator==(const Sums&) const = default;
  };
  const auto sums = [&] {
    const auto reader = open_capture(captured.path);
    Sums all;
    REQUIRE(reader->for_each(model::Wanted::kAll, [&](const model::SnapshotPtr& head, const model::Source&) {
      all.drops = head->totals.queue_drops;
      for (const model::NetnsRow& row : head->namespaces) all.missed += row.missed.queue_drops.value_or(0);
      all.known = head->queues != nullptr;
      all.queues += all.known ? head->queues->size() : 0;
      return true;
    }));
    all.seen = reader->info().probe.sees.queue_drops;
    return all;
  };
  const Sums now = sums();
  CHECK(now.drops != 0);
  CHECK(now.missed != 0);
  CHECK(now.queues != 0);
  CHECK(now.seen);
  make_version(captured.path, 7);
  CHECK(sums() == Sums{});
}

TEST_CASE("a capture of before this version does not know tcp_timestamps, but the other settings", "[capture]") {
  Captured captured;
  captured.add(3);
  captured.finish();
  const auto check = [&](std::optional<std::uint64_t> timestamps) {
    for (const auto& all :
         {open_capture(captured.path)->info().settings_at_start, open_capture(captured.path)->info().settings_at_end}) {
      CHECK(all.at(0).tw_reuse == 2U);
      CHECK(all.at(0).timestamps == timestamps);
      CHECK(all.at(0).syn_backlog == 1024U);
    }
  };
  check(1);
  make_version(captured.path, 8);
  check(std::nullopt);
}

TEST_CASE("a capture of before this version does not know which ports bind() took, but how many are taken",
          "[capture]") {
  Captured captured;
  captured.add(40);
  captured.finish();
  const auto sums = [&] {
    std::array<std::optional<std::uint64_t>, 3> sum{};
    const auto reader = open_capture(captured.path);
    REQUIRE(reader->for_each(model::Wanted::kHeads, [&](const model::SnapshotPtr& head, const model::Source&) {
      for (const model::PortUse& use : head->port_use ? *head->port_use : std::vector<model::PortUse>()) {
        sum[0] = sum[0].value_or(0) + use.ports.taken;
        if (use.bound) sum[1] = sum[1].value_or(0) + *use.bound;
        if (use.bound_to) sum[2] = sum[2].value_or(0) + *use.bound_to;
        CHECK(use.outside.has_value() == use.bound.has_value());
      }
      return true;
    }));
    return sum;
  };
  const auto now = sums();
  REQUIRE(now[2]);
  CHECK(*now[2] != 0);
  CHECK(now[1] == 30 * *now[2]);
  make_version(captured.path, 9);
  CHECK(sums() == std::array<std::optional<std::uint64_t>, 3>{now[0], std::nullopt, std::nullopt});
}

TEST_CASE("a capture of before this version does not know of ranges that clients have of their own", "[capture]") {
  Captured captured;
  captured.add(40);
  captured.finish();
  const auto own = [&] {
    std::size_t ranges = 0;
    const auto reader = open_capture(captured.path);
    REQUIRE(reader->for_each(model::Wanted::kHeads, [&](const model::SnapshotPtr& head, const model::Source&) {
      for (const model::PortUse& use : head->port_use ? *head->port_use : std::vector<model::PortUse>()) {
        ranges += use.own ? 1 : 0;
      }
      return true;
    }));
    return ranges;
  };
  CHECK(own() != 0);
  make_version(captured.path, 11);
  CHECK(own() == 0);
}

TEST_CASE("a capture of before this version does not know which calls of bind() found no port", "[capture]") {
  Captured captured(5);
  captured.add(23);
  captured.finish();
  const auto counts = [&] {
    const auto reader = open_capture(captured.path);
    model::Counters all;
    REQUIRE(reader->for_each(model::Wanted::kAll, [&](const model::SnapshotPtr& head, const model::Source& source) {
      all = head->totals + head->unattributed;
      source.visit([&](const model::Fact& fact) { all += fact.counts; });
      return true;
    }));
    return std::pair(all, reader->info().probe.sees.no_port_bind);
  };
  const auto [now, seen] = counts();
  CHECK(now.no_port_bind != 0);
  CHECK(seen);
  make_version(captured.path, 11);
  const auto [then, seen_then] = counts();
  CHECK(then.no_port_bind == 0);
  CHECK_FALSE(seen_then);
  CHECK(then.queue_drops == now.queue_drops);
}

TEST_CASE("a capture of before this version has no remote ends of buckets from before the start", "[capture]") {
  Captured captured;
  captured.add(3);
  captured.finish();
  const auto live = [&captured] {
    std::map<std::string, std::uint64_t> buckets;
    const auto reader = open_capture(captured.path);
    REQUIRE(reader->for_each(model::Wanted::kAll, [&](const model::SnapshotPtr&, const model::Source& source) {
      source.visit_peers([&buckets](const model::Fact& fact) {
        if (fact.kind == model::RowKind::kBeforeStart) buckets[fact.peer->address] = fact.live.value();
      });
      return true;
    }));
    return buckets;
  };
  CHECK(live() == std::map<std::string, std::uint64_t>{{"10.1.0.1", 3}, {"10.1.0.2", 1}});
  make_version(captured.path, 10);
  CHECK(live().empty());
}

TEST_CASE("a connect() that found no port is an event without a substate", "[capture]") {
  Captured captured;
  model::Event event = reused_event();
  event.kind = model::Event::Kind::kNoPort;
  event.reason = model::Event::Reason::kUnknown;
  event.age_s.reset();
  event.netns_name = "host";
  REQUIRE(captured.writer->add_event(event));
  captured.add(1);
  captured.finish();
  CHECK(query(captured.path, "SELECT kind, substate FROM event") == std::vector<std::string>{"no_port|"});
  const auto events = open_capture(captured.path)->events_until(World::kStart + 99, 9);
  REQUIRE(events);
  REQUIRE(events->size() == 1);
  CHECK(describe(events->at(0)) == describe(event));
  run_sql(captured.path, "UPDATE event SET substate='time_wait'");
  CHECK_FALSE(open_capture(captured.path)->events_until(World::kStart + 99, 9));
}

TEST_CASE("resets and queue drops are events with a reason and a count of their own", "[capture]") {
  using Kind = model::Event::Kind;
  using Reason = model::Event::Reason;
  Captured captured;
  std::vector<model::Event> written;
  const auto add = [&](Kind kind, Reason reason, std::uint64_t count) {
    model::Event event = reused_event();
    event.kind = kind;
    event.reason = reason;
    event.age_s.reset();
    event.count = count;
    event.netns_name = "host";
    written.push_back(event);
    REQUIRE(captured.writer->add_event(event));
  };
  for (const Reason reason :
       {Reason::kAvoidable, Reason::kRefused, Reason::kLate, Reason::kAborted, Reason::kClosedPort, Reason::kOther}) {
    add(Kind::kResetSent, reason, 1);
  }
  add(Kind::kResetFelt, Reason::kUnknown, 1);
  add(Kind::kResetReceived, Reason::kUnknown, 1);
  add(Kind::kQueueDrop, Reason::kUnknown, 31);
  captured.add(1);
  captured.finish();
  const auto read = [&] { return open_capture(captured.path)->events_until(World::kStart + 99, 99); };
  const auto events = read();
  REQUIRE(events);
  REQUIRE(events->size() == written.size());
  for (std::size_t i = 0; i < written.size(); ++i) CHECK(describe(events->at(i)) == describe(written[i]));
  const auto refused_with = [&](const std::string& change, const std::string& undo) {
    INFO(change);
    run_sql(captured.path, "UPDATE event SET " + change);
    CHECK_FALSE(read());
    run_sql(captured.path, "UPDATE event SET " + undo);
    CHECK(read());
  };
  refused_with("reason='late' WHERE kind='reset_felt'", "reason=NULL WHERE kind='reset_felt'");
  refused_with("reason='expired' WHERE reason='late'", "reason='late' WHERE reason='expired'");
  refused_with("reason=NULL WHERE reason='late'", "reason='late' WHERE kind='reset_sent' AND reason IS NULL");
  refused_with("count=0 WHERE count=31", "count=31 WHERE count=0");
}

TEST_CASE("an event of before this version happened once", "[capture]") {
  Captured captured;
  REQUIRE(captured.writer->add_event(reused_event()));
  captured.add(1);
  captured.finish();
  make_version(captured.path, 12);
  const auto events = open_capture(captured.path)->events_until(World::kStart + 99, 9);
  REQUIRE(events);
  REQUIRE(events->size() == 1);
  CHECK(events->at(0).count == 1);
}

TEST_CASE("of the events up to a moment the newest are read", "[capture]") {
  Captured captured;
  for (int i = 0; i < 101; ++i) {
    model::Event event = reused_event();
    event.time_unix_ms = World::kStart + i / 2 * 10;  // two at the same time
    event.local_port = static_cast<std::uint16_t>(i);
    REQUIRE(captured.writer->add_event(event));
  }
  captured.add(1);
  captured.finish();
  const auto reader = open_capture(captured.path);
  const auto ports = [&](std::int64_t until_ms, std::size_t most) {
    std::vector<int> found;
    const auto events = reader->events_until(until_ms, most);
    REQUIRE(events);
    for (const model::Event& event : *events) found.push_back(event.local_port);
    return found;
  };
  using Ports = std::vector<int>;
  CHECK(ports(World::kStart - 1, 5).empty());
  CHECK(ports(World::kStart, 5) == Ports{0, 1});
  CHECK(ports(World::kStart + 19, 5) == Ports{0, 1, 2, 3});
  CHECK(ports(World::kStart + 20, 5) == Ports{1, 2, 3, 4, 5});
  CHECK(ports(World::kStart + 499, 3) == Ports{97, 98, 99});
  CHECK(ports(World::kStart + 500, 3) == Ports{98, 99, 100});
  CHECK(ports(std::numeric_limits<std::int64_t>::max(), 1000).size() == 101);
}

TEST_CASE("a capture without events has none", "[capture]") {
  Captured captured;
  captured.add(1);
  captured.finish();
  const auto events = open_capture(captured.path)->events_until(World::kStart + 99, 9);
  REQUIRE(events);
  CHECK(events->empty());
}

TEST_CASE("events that cannot be are refused", "[capture]") {
  const std::string change = GENERATE(
      as<std::string>{},  //
      "kind='gone'", "substate=''", "reason='bored'", "age_s=-1.0", "age_s=9e999", "cookie='x'", "netns=4294967296",
      "pid=-1", "pid=4194305", "uid='root'", "service=9999", "role='peer'", "port=65536", "attribution='guess'",
      "local_address=x'00'", "remote_port=-1", "time_unix_ms=-1", "id=9223372036854775807", "id=-1");
  Captured captured;
  REQUIRE(captured.writer->add_event(reused_event()));
  captured.add(1);
  captured.finish();
  run_sql(captured.path, "UPDATE event SET " + change);
  INFO(change);
  const auto events = open_capture(captured.path)->events_until(World::kStart + 99, 9);
  REQUIRE_FALSE(events);
  CHECK(events.error().code == base::ErrorCode::kInvalid);
  CHECK(events.error().what.find("table event has impossible values") != std::string::npos);
}

TEST_CASE("a mark goes into a running capture only", "[capture]") {
  Captured captured;
  captured.add(1);
  REQUIRE(capture::add_mark(captured.path, {World::kStart + 9, "now"}));
  captured.add(1);
  captured.finish();
  const auto ended = capture::add_mark(captured.path, {World::kStart, "x"});
  REQUIRE_FALSE(ended);
  CHECK(ended.error().what.find("ended") != std::string::npos);
  const auto reader = open_capture(captured.path);
  REQUIRE(reader->info().marks.size() == 1);
  CHECK(reader->info().marks[0].name == "now");
  CHECK(read_samples(*reader) == captured.samples);
  run_sql(captured.path, "UPDATE capture SET ended_unix_ms=NULL");
  const auto cut = capture::add_mark(captured.path, {World::kStart, "x"});
  REQUIRE_FALSE(cut);
  CHECK(cut.error().what.find("cut") != std::string::npos);
}

TEST_CASE("who may not write the capture is told who can mark it", "[capture]") {
  if (::geteuid() != 0) return;
  Captured captured;
  captured.add(1);
  constexpr uid_t kNobody = 65534;
  REQUIRE(::seteuid(kNobody) == 0);
  const auto marked = capture::add_mark(captured.path, {World::kStart, "x"});
  REQUIRE(::seteuid(0) == 0);
  REQUIRE_FALSE(marked);
  CHECK(marked.error().what.find("Permission denied") != std::string::npos);
  CHECK(marked.error().hint == "only the user of the capture and root can mark it: run twtrace mark -o " +
                                   captured.path +
                                   " NAME as one of them, beside the command that runs as another user");
}

TEST_CASE("a mark waits for the first sample, when there is a file", "[capture]") {
  Captured captured;
  auto marked = std::async(std::launch::async, [&] { return capture::add_mark(captured.path, {World::kStart, "x"}); });
  CHECK(marked.wait_for(std::chrono::milliseconds(60)) == std::future_status::timeout);
  captured.add(1);
  CHECK(marked.get());
  captured.finish();
  CHECK(open_capture(captured.path)->info().marks.size() == 1);
}
