// SPDX-License-Identifier: Apache-2.0
#include "output/json.hpp"

#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/event_json.hpp"
#include "support/services.hpp"
#include "support/snapshots.hpp"

using namespace twtrace;
using Json = nlohmann::ordered_json;
using Keys = std::vector<std::string>;

namespace {

// The published contract of twtrace.snapshot/1: the keys in their order. Arrays have one entry.
const Json kContract = Json::parse(R"({
 "schema":"twtrace.snapshot/1","time":"","time_unix_ms":0,"interval_s":1.0,"uptime_s":12.0,
 "host":{"name":"web1","kernel":"6.12.0"},"probe":{"backend":"fentry","fallbacks":["..."]},
 "totals":{"created":0,"time_wait":0,"fin_wait2":0,"overflow":0,"overflow_time_wait":0,"overflow_fin_wait2":0,
           "no_memory":0,"reused":0,"recycled":0,"expired":0,"purged":0,"unattributed":0},
 "namespaces":[{"netns":4026531840,"name":"host","limit":131072,"in_use":10,"pre_existing":0,"created":0,"overflow":0,
                "no_memory":0,"kernel":{"created":0,"overflow":0,"reused":0},"missed":{"created":0,"overflow":0},
                "reconciled":true}],
 "rows":[{"netns":4026531840,"process":{"pid":812,"comm":"redis-worker","uid":33,"pids":1},
          "service":{"kind":"systemd","name":"worker.service","cgroup":"/system.slice/worker.service"},
          "role":"client","port":6379,"attribution":"closer",
          "created":0,"time_wait":0,"fin_wait2":0,"overflow":0,"overflow_time_wait":0,"overflow_fin_wait2":0,
          "no_memory":0,"reused":0,"recycled":0,"expired":0,"purged":0,"live":0,
          "created_per_s":0.0,"overflow_per_s":0.0}],
 "lost":{"events":0,"counts":0},
 "cost":{"bpf_run_ns_per_event":0,"cpu_percent":0.0,"rss_bytes":0}})");

// The additions to the contract, by object.
const Json kAdded = Json::parse(R"({
 "":["group","namespaces_folded","troubles","warnings","queues","log_lines","rows_hidden","live_age_s"],
 "probe":["sees_removal"],
 "totals":["no_port","no_port_bind","resets_received","resets_felt",
           "peer_resets","peer_resets_avoidable","resets_sent","resets_late","resets_aborted","resets_closed_port","resets_other","queue_drops",
           "unattributed_overflow","unattributed_no_memory"],
 "namespaces":["netns_id","gone","time_wait","fin_wait2","overflow_time_wait","overflow_fin_wait2","reused","recycled","expired",
               "purged","no_port","no_port_bind","resets_received","resets_felt",
               "peer_resets","peer_resets_avoidable","resets_sent","resets_late","resets_aborted","resets_closed_port","resets_other","queue_drops",
               "unattributed","unattributed_overflow","created_per_s","overflow_per_s","forecast"],
 "kernel":["out_resets","listen_overflows","listen_drops"],
 "missed":["resets_sent","queue_drops"],
 "rows":["netns_id","ports","no_port","no_port_bind","resets_received","resets_felt",
         "peer_resets","peer_resets_avoidable","resets_sent","resets_late","resets_aborted","resets_closed_port","resets_other","queue_drops",
         "kind","netns_name"],
 "process":["exited"],
 "lost":["rows_full","rows_busy","netns_full","sockets_full","buckets_full","cgroups_full","listeners_full",
         "pairs_lost","refused_full","recursion_misses"]})");

Keys keys(const Json& object) {
  Keys names;
  for (const auto& item : object.items()) names.push_back(item.key());
  return names;
}

// `actual` must have the keys of the contract, in the same order and with the same types, plus exactly the additions.
void check_object(const std::string& where, const Json& contract, const Json& actual) {
  INFO("in object '" << where << "': " << actual.dump());
  const Keys added = kAdded.value(where, Keys{});
  Keys of_contract;
  Keys extra;
  for (const std::string& key : keys(actual)) (contract.contains(key) ? of_contract : extra).push_back(key);
  CHECK(of_contract == keys(contract));
  CHECK(extra == added);
  for (const auto& [key, value] : contract.items()) {
    if (!actual.contains(key)) continue;
    const Json& field = actual[key];
    if (value.is_object()) check_object(key, value, field);
    if (value.is_array() && !value.empty() && value[0].is_object()) check_object(key, value[0], field.at(0));
    if (value.is_number_float()) CHECK(field.is_number_float());
    if (value.is_string()) CHECK(field.is_string());
    if (value.is_boolean()) CHECK(field.is_boolean());
  }
}

Json parsed(const model::Snapshot& snapshot) { return Json::parse(output::snapshot_json(snapshot)); }
Json parsed(const model::Event& event) { return Json::parse(test::event_json(event)); }

}  // namespace

TEST_CASE("snapshot_json has the contract's keys in the contract's order") {
  model::Snapshot snapshot = test::snapshot(model::Group::kPid);
  snapshot.cost.bpf_run_ns_per_event = 151.5;
  check_object("", kContract, parsed(snapshot));
}

TEST_CASE("snapshot_json puts the group after the interval and uptime") {
  const Keys names = keys(parsed(test::snapshot()));
  CHECK(Keys(names.begin(), names.begin() + 6) ==
        Keys{"schema", "time", "time_unix_ms", "interval_s", "uptime_s", "group"});
}

TEST_CASE("snapshot_json carries every value to its own field") {
  const Json json = parsed(test::snapshot());
  CHECK(json["schema"] == "twtrace.snapshot/1");
  CHECK(json["time"] == "2026-01-02T03:04:05.678Z");
  CHECK(json["time_unix_ms"] == test::kTime);
  const Json& row = json["rows"][0];
  CHECK(row["process"] == Json::parse(R"({"pid":812,"comm":"redis-worker","uid":33,"pids":1,"exited":false})"));
  CHECK(row["created"] == 5018);
  CHECK(row["time_wait"] == 5011);
  CHECK(row["fin_wait2"] == 7);
  CHECK(row["overflow"] == 1204);
  CHECK(row["overflow_time_wait"] == 1201);
  CHECK(row["overflow_fin_wait2"] == 3);
  CHECK(row["expired"] == 11);
  CHECK(row["reused"] == 13);
  CHECK(row["recycled"] == 17);
  CHECK(row["purged"] == 19);
  CHECK(row["live"] == 4903);
  CHECK(row["created_per_s"] == 812.4);
  CHECK(row["role"] == "client");
  CHECK(row["port"] == 6379);
  CHECK(row["kind"] == "normal");
  const Json& netns = json["namespaces"][0];
  CHECK(netns["limit"] == 5000);
  CHECK(netns["in_use"] == 4998);
  CHECK(netns["pre_existing"] == 95);
  CHECK(netns["kernel"] ==
        Json::parse(
            R"({"created":5018,"overflow":1204,"reused":13,"out_resets":null,"listen_overflows":0,"listen_drops":0})"));
  CHECK(netns["reconciled"] == true);
}

TEST_CASE("snapshot_json carries troubles and forecasts") {
  model::Snapshot snapshot = test::snapshot();
  CHECK(parsed(snapshot)["namespaces"][0]["forecast"].is_null());
  snapshot.namespaces[0].forecast = {model::Forecast::State::kFilling, 9600, 12.34567};
  CHECK(parsed(snapshot)["namespaces"][0]["forecast"] ==
        Json::parse(R"({"state":"filling","buckets":9600,"seconds":12.346})"));
  snapshot.namespaces[0].forecast = {model::Forecast::State::kSteady, 4800, {}};
  CHECK(parsed(snapshot)["namespaces"][0]["forecast"] ==
        Json::parse(R"({"state":"steady","buckets":4800,"seconds":null})"));
  CHECK(parsed(snapshot)["troubles"] == Json::parse(R"([{"kind":"full","netns":4026531840,"netns_id":0,
    "namespace":"host","taken":4998,"of":5000,
    "holder":{"name":"worker.service","comm":"redis-worker","before_start":false,"buckets":4903,"per_s":0.0,"percent":98.099},"before_start":null,
    "refused":{"name":"worker.service","comm":"redis-worker","before_start":false,"buckets":312,"per_s":312.0,"percent":100.0},
    "refused_per_s":312.0,"destination":null,"own_range":null,"unconnected":null,"no_port_per_s":0.0,"queue":null}])"));
  snapshot.troubles[0].older = model::OlderBuckets{model::Role::kServer, 80, 4800, "nginx.service"};
  CHECK(parsed(snapshot)["troubles"][0]["before_start"] ==
        Json::parse(R"({"role":"server","port":80,"service":"nginx.service","buckets":4800})"));
  snapshot.troubles[0].older = model::OlderBuckets{model::Role::kClient, 0, 4800, ""};
  CHECK(parsed(snapshot)["troubles"][0]["before_start"] ==
        Json::parse(R"({"role":"client","port":null,"service":null,"buckets":4800})"));
  model::Trouble ports;
  ports.kind = model::Trouble::Kind::kPorts;
  ports.destination = model::Peer{"10.0.0.9", std::uint16_t{8081}};
  snapshot.troubles = {ports};
  CHECK(parsed(snapshot)["troubles"] == Json::parse(R"([{"kind":"ports","netns":0,"netns_id":0,"namespace":null,
    "taken":null,"of":null,"holder":null,"before_start":null,"refused":null,"refused_per_s":0.0,
    "destination":{"address":"10.0.0.9","port":8081},"own_range":null,"unconnected":null,"no_port_per_s":0.0,"queue":null}])"));
}

TEST_CASE("snapshot_json carries queues, also as troubles") {
  model::Snapshot snapshot = test::snapshot();
  CHECK(parsed(snapshot)["queues"].is_null());
  model::ListenQueue queue;
  queue.netns = 4026531840U;
  queue.netns_id = 7;
  queue.port = 443;
  queue.service = test::shared_service("web.service");
  queue.comm = "nginx";
  queue.queue = {512, 511};
  queue.drops = 1700;
  queue.drops_per_s = 12;
  queue.somaxconn = 4096;
  snapshot.queues = std::make_shared<std::vector<model::ListenQueue>>(std::vector<model::ListenQueue>{queue});
  const Json expected = Json::parse(R"({"netns":4026531840,"netns_id":7,"port":443,"service":"web.service",
    "comm":"nginx","length":512,"limit":511,"drops":1700,"drops_per_s":12.0,"somaxconn":4096,
    "tcp_max_syn_backlog":null})");
  CHECK(parsed(snapshot)["queues"] == Json::array({expected}));
  model::Trouble trouble;
  trouble.kind = model::Trouble::Kind::kQueue;
  trouble.use = queue.queue;
  trouble.queue = queue;
  snapshot.troubles = {trouble};
  const Json json = parsed(snapshot)["troubles"][0];
  CHECK(json["kind"] == "queue");
  CHECK(json["taken"] == 512);
  CHECK(json["queue"] == expected);
}

TEST_CASE("snapshot_json writes null for what the backend cannot know") {
  model::Snapshot snapshot = test::snapshot();
  snapshot.probe.sees.removal = false;
  snapshot.rows[0].live.reset();
  snapshot.live_age_s.reset();
  snapshot.namespaces[0].kernel = {};
  snapshot.namespaces[0].missed = {};
  snapshot.namespaces[0].reconciled.reset();
  snapshot.namespaces[0].limit.reset();
  const Json json = parsed(snapshot);
  for (const char* field : {"expired", "reused", "recycled", "purged"}) {
    for (const Json* object : {&json["totals"], &json["rows"][0], &json["namespaces"][0]}) {
      INFO(field);
      REQUIRE(object->contains(field));
      CHECK((*object)[field].is_null());
    }
  }
  CHECK(json["rows"][0]["live"].is_null());
  CHECK(json["live_age_s"].is_null());
  CHECK(json["cost"]["bpf_run_ns_per_event"].is_null());
  CHECK(json["lost"]["recursion_misses"].is_null());
  CHECK(json["namespaces"][0]["limit"].is_null());
  CHECK(
      json["namespaces"][0]["kernel"] ==
      Json::parse(
          R"({"created":null,"overflow":null,"reused":null,"out_resets":null,"listen_overflows":null,"listen_drops":null})"));
  CHECK(json["namespaces"][0]["missed"] ==
        Json::parse(R"({"created":null,"overflow":null,"resets_sent":null,"queue_drops":null})"));
  CHECK(json["namespaces"][0]["reconciled"].is_null());
  CHECK(json["rows"][0]["created"] == 5018);
}

TEST_CASE("snapshot_json writes null for what the group merges, with every key in place") {
  model::Snapshot snapshot = test::snapshot(model::Group::kNetns);
  model::Row& row = snapshot.rows[0];
  row.process.reset();
  row.service.reset();
  row.role.reset();
  row.port.reset();
  row.attribution.reset();
  const Json json = parsed(snapshot)["rows"][0];
  CHECK(json["process"] == Json::parse(R"({"pid":null,"comm":null,"uid":null,"pids":null,"exited":null})"));
  for (const char* field : {"service", "role", "port", "attribution"}) {
    REQUIRE(json.contains(field));
    CHECK(json[field].is_null());
  }
  CHECK(json["netns"] == 4026531840U);
}

TEST_CASE("a row that merges pids keeps its name and says how many") {
  model::Snapshot snapshot = test::snapshot();
  snapshot.rows[0].process = model::ProcessId{{}, "nginx", {}, 4, true};
  CHECK(parsed(snapshot)["rows"][0]["process"] ==
        Json::parse(R"({"pid":null,"comm":"nginx","uid":null,"pids":4,"exited":true})"));
}

TEST_CASE("the peer is there in the peer group only") {
  model::Snapshot snapshot = test::snapshot(model::Group::kPeer);
  snapshot.rows[0].peer = model::Peer{"2001:db8::1", std::uint16_t{443}};
  CHECK(parsed(snapshot)["rows"][0]["peer"] == Json::parse(R"({"address":"2001:db8::1","port":443})"));
  snapshot.rows[0].peer->port.reset();
  CHECK(parsed(snapshot)["rows"][0]["peer"]["port"].is_null());
  snapshot.group = model::Group::kPid;
  CHECK_FALSE(parsed(snapshot)["rows"][0].contains("peer"));
}

TEST_CASE("pod and container are written when there are any") {
  model::Snapshot snapshot = test::snapshot();
  CHECK_FALSE(parsed(snapshot)["rows"][0]["service"].contains("pod"));
  snapshot.rows[0].service->pod = {"shop", "", "7d1c"};
  snapshot.rows[0].service->container = "0123456789ab";
  const Json service = parsed(snapshot)["rows"][0]["service"];
  CHECK(service["pod"] == Json::parse(R"({"namespace":"shop","name":null,"uid":"7d1c"})"));
  CHECK(service["container"] == "0123456789ab");
}

TEST_CASE("hostile names stay one line of ASCII and lose nothing") {
  model::Snapshot snapshot = test::snapshot();
  SECTION("control characters and quotes are escaped, not replaced") {
    const std::string comm = "\x1b[2J\n\"\\\x7f\u009b\u202e";
    snapshot.rows[0].process->comm = comm;
    const Json process = parsed(snapshot)["rows"][0]["process"];
    CHECK(process["comm"] == comm);
    CHECK_FALSE(process.contains("comm_hex"));
  }
  SECTION("what is no UTF-8 is replaced, and kept in hex") {
    snapshot.rows[0].process->comm = "caf\xe9\xff";
    snapshot.rows[0].service->name = "\x80.service";
    const Json row = parsed(snapshot)["rows"][0];
    CHECK(row["process"]["comm"] == "caf\uFFFD\uFFFD");
    CHECK(row["process"]["comm_hex"] == "636166e9ff");
    CHECK(row["service"]["name"] == "\uFFFD.service");
    CHECK(row["service"]["name_hex"] == "802e73657276696365");
  }
  SECTION("texts that nobody expects to be hostile") {
    snapshot.host.name = "\xff\n";
    snapshot.probe.backend = "\xff";
    snapshot.probe.fallbacks = {"\xfe\n"};
    snapshot.namespaces[0].name = "\xfd";
  }
  const std::string line = output::snapshot_json(snapshot);
  for (const char c : line) {
    if (c < 0x20 || c == 0x7f) FAIL("not printable ASCII: " << static_cast<int>(c));
  }
  CHECK(Json::accept(line));
}

TEST_CASE("numbers at their limits survive, and what is no number is null") {
  model::Snapshot snapshot = test::snapshot();
  snapshot.rows[0].counts.time_wait = std::numeric_limits<std::uint64_t>::max();
  snapshot.rows[0].counts.fin_wait2 = 0;
  snapshot.rows[0].created_per_s = std::numeric_limits<double>::infinity();
  const Json row = parsed(snapshot)["rows"][0];
  CHECK(row["created"].get<std::uint64_t>() == std::numeric_limits<std::uint64_t>::max());
  CHECK(row["created_per_s"].is_null());
}

TEST_CASE("unattributed counts and row kinds") {
  model::Snapshot snapshot = test::snapshot();
  snapshot.unattributed = {3, 4, 5, 6, 2, 0, 0, 0, 0};
  snapshot.rows[0].kind = model::RowKind::kOther;
  const Json json = parsed(snapshot);
  CHECK(json["totals"]["unattributed"] == 7);
  CHECK(json["totals"]["unattributed_overflow"] == 11);
  CHECK(json["totals"]["unattributed_no_memory"] == 2);
  CHECK(json["rows"][0]["kind"] == "other");
  snapshot.rows[0].kind = model::RowKind::kUnattributed;
  CHECK(parsed(snapshot)["rows"][0]["kind"] == "unattributed");
  CHECK(parsed(snapshot)["rows"][0]["process"].is_object());
  snapshot.rows[0].kind = model::RowKind::kBeforeStart;
  CHECK(parsed(snapshot)["rows"][0]["kind"] == "before_start");
  CHECK(parsed(snapshot)["rows"][0]["process"].is_null());
  CHECK_FALSE(parsed(snapshot)["rows"][0].contains("namespaces"));
  snapshot.group = model::Group::kNetns;
  snapshot.rows[0].kind = model::RowKind::kGone;
  snapshot.rows[0].netns.reset();
  snapshot.rows[0].namespaces = 12345;
  const Json gone = parsed(snapshot)["rows"][0];
  CHECK(gone["kind"] == "gone");
  CHECK(gone["namespaces"] == 12345);
  CHECK(gone["netns"].is_null());
  CHECK(gone["netns_id"].is_null());
}

TEST_CASE("a snapshot of nothing has empty arrays") {
  const Json json = parsed(model::Snapshot{});
  CHECK(json["rows"] == Json::array());
  CHECK(json["namespaces"] == Json::array());
  CHECK(json["probe"]["fallbacks"] == Json::array());
}

TEST_CASE("event_json, golden") {
  CHECK(test::event_json(test::event()) ==
        R"({"schema":"twtrace.event/1","time":"2026-01-02T03:04:05.678Z","time_unix_ms":1767323045678,)"
        R"("event":"overflow","substate":"fin_wait2","reason":null,"age_s":null,"count":1,"netns":4026531840,)"
        R"("netns_id":7,"netns_name":"host",)"
        R"("process":{"pid":812,"comm":"redis-worker","uid":33},)"
        R"("service":{"kind":"systemd","name":"worker.service","cgroup":"/system.slice/worker.service"},)"
        R"("role":"client","port":6379,"attribution":"closer","local":{"address":"10.0.0.1","port":4242},)"
        R"("remote":{"address":"10.0.0.2","port":6379},"cookie":"1f03"})");
}

TEST_CASE("event_json of an event about which little is known") {
  model::Event event;
  event.kind = model::Event::Kind::kRemoved;
  event.uid = 33;
  const Json json = parsed(event);
  CHECK(keys(json) == keys(parsed(test::event())));
  CHECK(json["process"] == Json::parse(R"({"pid":null,"comm":null,"uid":33})"));
  CHECK(json["service"] == Json::parse(R"({"kind":"unknown","name":null,"cgroup":null})"));
  CHECK(json["local"] == Json::parse(R"({"address":null,"port":null})"));
  CHECK(json["attribution"] == "none");
  for (const char* field : {"reason", "age_s", "netns", "netns_id", "netns_name", "role", "port", "cookie"}) {
    INFO(field);
    CHECK(json[field].is_null());
  }
}

TEST_CASE("event_json says why a reset was sent, and how many a queue dropped") {
  model::Event event = test::event();
  event.kind = model::Event::Kind::kResetSent;
  event.reason = model::Event::Reason::kAvoidable;
  CHECK(parsed(event)["event"] == "reset_sent");
  CHECK(parsed(event)["reason"] == "avoidable");
  CHECK(parsed(event)["substate"].is_null());
  event.kind = model::Event::Kind::kQueueDrop;
  event.count = 31;
  CHECK(parsed(event)["event"] == "queue_drop");
  CHECK(parsed(event)["reason"].is_null());
  CHECK(parsed(event)["count"] == 31);
}

TEST_CASE("event_json says why a bucket went away only when it knows") {
  model::Event event = test::event();
  event.reason = model::Event::Reason::kRecycled;
  CHECK(parsed(event)["reason"].is_null());  // not a removal
  event.kind = model::Event::Kind::kRemoved;
  event.age_s = 60.1;
  CHECK(parsed(event)["reason"] == "recycled");
  CHECK(parsed(event)["age_s"] == 60.1);
  event.reason = model::Event::Reason::kUnknown;
  CHECK(parsed(event)["reason"].is_null());
}

TEST_CASE("a row for many ports has no port, and says how many they are") {
  model::Snapshot snapshot = test::snapshot();
  snapshot.rows[0].port.reset();
  snapshot.rows[0].ports = 64512;
  CHECK(parsed(snapshot)["rows"][0]["port"].is_null());
  CHECK(parsed(snapshot)["rows"][0]["ports"] == 64512);
  snapshot.rows[0].ports.reset();
  CHECK(parsed(snapshot)["rows"][0]["ports"].is_null());
}

TEST_CASE("what was asked for and is not there is a warning") {
  CHECK(parsed(test::snapshot())["warnings"] == Json::array());
  CHECK(Json::parse(output::snapshot_json(test::snapshot(), {"no row"}))["warnings"] == Json::array({"no row"}));
}

TEST_CASE("the lines of logs of an interval are listed, and null if the capture followed none") {
  model::Snapshot snapshot = test::snapshot();
  CHECK(Json::parse(output::snapshot_json(snapshot)).at("log_lines").is_null());
  snapshot.logs = std::make_shared<const std::vector<model::Log>>(
      std::vector<model::Log>{{model::Log::Kind::kFile, "/var/log/app.log", "refused", {}},
                              {model::Log::Kind::kJournal, "web.service", "a|b", {}}});
  CHECK(Json::parse(output::snapshot_json(snapshot)).at("log_lines") == Json::array());
  snapshot.log_lines = std::make_shared<const std::vector<model::LogLine>>(
      std::vector<model::LogLine>{{0, test::kTime, 1, "connection\x1b refused\xff"}, {1, test::kTime + 1, 207, {}}});
  const std::string text = output::snapshot_json(snapshot);
  CHECK(text.find('\x1b') == std::string::npos);
  const Json lines = Json::parse(text).at("log_lines");
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["time"] == "2026-01-02T03:04:05.678Z");
  CHECK(lines[0]["time_unix_ms"] == test::kTime);
  CHECK(lines[0]["kind"] == "file");
  CHECK(lines[0]["log"] == "/var/log/app.log");
  CHECK(lines[0]["lines"] == 1);
  CHECK(lines[0]["text"] == "connection\x1b refused\xEF\xBF\xBD");
  CHECK(lines[1]["kind"] == "journal");
  CHECK(lines[1]["log"] == "web.service");
  CHECK(lines[1]["lines"] == 207);
  CHECK(lines[1]["text"].is_null());
}
