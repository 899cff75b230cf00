// SPDX-License-Identifier: Apache-2.0
// docs/json.md names exactly the fields that snapshots, events and doctor have, with their types, and says when they
// are null.
#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "output/doctor_json.hpp"
#include "output/json.hpp"
#include "support/catch.hpp"
#include "support/event_json.hpp"
#include "support/services.hpp"
#include "support/snapshots.hpp"

using namespace twtrace;
using Json = nlohmann::json;

namespace {

/// What is known about one field.
struct Field {
  std::set<std::string> types;  ///< as the page calls them
  bool null = false;
};
using Fields = std::map<std::string, Field>;

std::string page() {
  std::ifstream file(std::string(TWTRACE_DOCS) + "/json.md");
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The texts in backticks.
std::vector<std::string> names(const std::string& text) {
  std::vector<std::string> found;
  for (std::size_t begin = text.find('`'); begin != std::string::npos;) {
    const std::size_t end = text.find('`', begin + 1);
    found.push_back(text.substr(begin + 1, end - begin - 1));
    begin = text.find('`', end + 1);
  }
  return found;
}

std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> found;
  std::istringstream stream(line.substr(1));
  for (std::string cell; std::getline(stream, cell, '|');) {
    const std::size_t begin = cell.find_first_not_of(' ');
    const std::size_t end = cell.find_last_not_of(' ');
    found.push_back(begin == std::string::npos ? "" : cell.substr(begin, end - begin + 1));
  }
  return found;
}

/// The fields of the tables under a heading of the second level. The names in a heading of the third level are the
/// objects of which the table below has the fields.
Fields documented(const std::string& section) {
  Fields fields;
  std::vector<std::string> objects;
  bool inside = false;
  std::istringstream text(page());
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("## ")) inside = line == "## " + section;
    if (!inside) continue;
    if (line.starts_with("### ")) {
      objects = names(line);
      if (objects.empty()) objects.emplace_back();
    }
    if (!line.starts_with("| `")) continue;
    const std::vector<std::string> row = cells(line);
    REQUIRE(row.size() == 4);
    for (const std::string& object : objects) {
      for (const std::string& name : names(row[0])) {
        std::string path = object;
        if (!path.empty()) path += '.';
        path += name;
        INFO(path);
        CHECK(fields.emplace(path, Field{{row[1]}, row[3] != "-"}).second);
      }
    }
  }
  return fields;
}

std::string type_of(const Json& value) {
  if (value.is_boolean()) return "true/false";
  if (value.is_string()) return "string";
  if (value.is_object()) return "object";
  if (value.is_array()) return value.empty() ? "" : value[0].is_object() ? "array of objects" : "array of strings";
  return value.is_number_integer() ? "integer" : "number";
}

void collect(const Json& object, const std::string& prefix, Fields& fields) {
  for (const auto& [name, value] : object.items()) {
    const std::string path = prefix + name;
    Field& field = fields[path];
    if (value.is_null()) {
      field.null = true;
    } else if (const std::string type = type_of(value); !type.empty()) {
      field.types.insert(type);
    }
    if (value.is_object()) collect(value, path + ".", fields);
    if (!value.is_array()) continue;
    for (const Json& element : value) {
      if (element.is_object()) collect(element, path + "[].", fields);
    }
  }
}

base::Service service_with_all() {
  return {"kubernetes", "shop/web-1/nginx", "/kubepods/pod1/c1", {"shop", "web-1", "7d1c"}, "0123456789ab"};
}

/// Every field has a value that is not null.
model::Snapshot full(model::Group group) {
  model::Snapshot snapshot = test::snapshot(group);
  snapshot.interval_s = 1.5;
  snapshot.uptime_s = 12.5;
  snapshot.probe.fallbacks = {"fentry: forbidden"};
  snapshot.live_age_s = 0.5;
  model::NetnsRow& netns = snapshot.namespaces[0];
  netns.kernel = {1, 2, 3, 4, 5, 6};
  netns.missed = {1, 2, 3, 4};
  netns.forecast = {model::Forecast::State::kFilling, 9600, 12.5};
  netns.overflow_per_s = 312.5;
  model::Row& row = snapshot.rows[0];
  row.service = service_with_all();
  row.ports = 65;
  row.peer = model::Peer{"10.0.0.9", std::uint16_t{443}};
  row.overflow_per_s = 312.5;
  model::ListenQueue queue;
  queue.port = 443;
  queue.service = test::shared_service("web.service");
  queue.comm = "nginx";
  queue.drops_per_s = 1.5;
  queue.somaxconn = queue.syn_backlog = 4096;
  snapshot.queues = std::make_shared<std::vector<model::ListenQueue>>(1, queue);
  model::Trouble& trouble = snapshot.troubles[0];
  trouble.holder = trouble.refused = trouble.unconnected = model::Party{"web.service", "nginx", false, 1, 2.5, 0.125};
  trouble.older = model::OlderBuckets{model::Role::kServer, 80, 4800, "nginx.service"};
  trouble.destination = row.peer;
  trouble.own_ports = model::PortRange{40000, 40100};
  trouble.refused_per_s = trouble.no_port_per_s = 1.5;
  trouble.queue = queue;
  snapshot.logs = std::make_shared<const std::vector<model::Log>>(
      std::vector<model::Log>{{model::Log::Kind::kFile, "app.log", "refused", {}}});
  snapshot.log_lines =
      std::make_shared<const std::vector<model::LogLine>>(std::vector<model::LogLine>{{0, test::kTime, 1, "refused"}});
  snapshot.lost.recursion_misses = 1;
  snapshot.cost = {151.5, 0.5, 4096, {}};
  return snapshot;
}

/// Every field that can be null is null, in one of the objects.
std::vector<model::Snapshot> sparse() {
  model::Snapshot nothing = full(model::Group::kPeer);
  nothing.probe.sees = {};
  nothing.queues.reset();
  nothing.logs.reset();
  nothing.live_age_s.reset();
  nothing.lost.recursion_misses.reset();
  nothing.cost.bpf_run_ns_per_event.reset();
  model::NetnsRow& netns = nothing.namespaces[0];
  netns.name.clear();
  netns.limit = netns.in_use = netns.pre_existing = std::nullopt;
  netns.kernel = {};
  netns.missed = {};
  netns.reconciled.reset();
  netns.forecast = {};
  nothing.rows = {model::Row{}, model::Row{}, model::Row{}};
  nothing.rows[1].kind = model::RowKind::kBeforeStart;
  nothing.rows[2].process = model::ProcessId{};
  nothing.rows[2].service = base::Service{};
  nothing.rows[2].peer = model::Peer{};
  nothing.troubles = {model::Trouble{}};

  model::Snapshot parts = full(model::Group::kPeer);
  parts.namespaces[0].forecast.seconds.reset();
  parts.rows[0].service->pod = {"shop", "", ""};
  model::Row other_pod = parts.rows[0];
  other_pod.service->pod = {"", "", "7d1c"};
  parts.rows.push_back(other_pod);
  model::ListenQueue queue;
  parts.queues = std::make_shared<std::vector<model::ListenQueue>>(1, queue);
  model::Trouble& trouble = parts.troubles[0];
  trouble.queue = queue;
  trouble.holder = trouble.refused = trouble.unconnected = model::Party{};
  trouble.older = model::OlderBuckets{};
  trouble.destination = model::Peer{};
  parts.log_lines =
      std::make_shared<const std::vector<model::LogLine>>(std::vector<model::LogLine>{{0, test::kTime, 9, {}}});
  return {nothing, parts};
}

Fields printed_snapshots() {
  Fields fields;
  for (const model::Group group : {model::Group::kPid, model::Group::kPeer, model::Group::kNetns}) {
    collect(Json::parse(output::snapshot_json(full(group), {"no row"})), "", fields);
  }
  for (const model::Snapshot& snapshot : sparse()) collect(Json::parse(output::snapshot_json(snapshot)), "", fields);
  return fields;
}

Fields printed_events() {
  model::Event full = test::event();
  full.kind = model::Event::Kind::kRemoved;
  full.reason = model::Event::Reason::kExpired;
  full.age_s = 60.5;
  full.service = service_with_all();
  model::Event some = full;
  some.service.pod = {"shop", "", ""};
  model::Event others = full;
  others.service.pod = {"", "", "7d1c"};
  model::Event nothing;
  nothing.kind = model::Event::Kind::kQueueDrop;
  Fields fields;
  for (const model::Event& event : {full, some, others, nothing}) {
    collect(Json::parse(test::event_json(event)), "", fields);
  }
  return fields;
}

Fields printed_doctor() {
  model::DoctorReport full;
  full.host = {"web1", "6.12.0"};
  full.btf = "/sys/kernel/btf/vmlinux";
  full.backend = "tracepoint";
  full.backends = full.features = full.capabilities = {{"one", true, "why"}, {"other", false, ""}};
  full.lockdown = "none";
  full.cgroup_hierarchy = "v2";
  full.cgroup_mount = "/sys/fs/cgroup";
  full.bpf_stats_enabled = false;
  model::DoctorNetns netns;
  netns.netns = 4026531840;
  netns.name = "host";
  netns.pid = 1;
  netns.path = "/proc/1/ns/net";
  netns.limit = netns.default_limit = 5000;
  netns.in_use = netns.overflow = 1204;
  netns.fin_timeout_s = 60;
  netns.tw_reuse = 2;
  netns.timestamps = 1;
  full.namespaces = {netns, {}};
  full.warnings = {{"limit-low", 4026531840, "the limit is 5,000", "sysctl -w a=1"},
                   {"overflow-seen", {}, "it was", ""}};
  Fields fields;
  model::DoctorReport nothing;
  nothing.host = full.host;
  for (const model::DoctorReport& report : {full, nothing}) {
    collect(Json::parse(output::doctor_json(report)), "", fields);
  }
  return fields;
}

void compare(const Fields& printed, const Fields& page) {
  CHECK(printed.size() > 20);
  for (const auto& [path, field] : printed) {
    INFO(path);
    const auto found = page.find(path);
    CHECK(found != page.end());
    if (found == page.end()) continue;
    CHECK(field.types == found->second.types);  // also shows that the test has a value of it
    CHECK(field.null == found->second.null);
  }
  for (const auto& [path, field] : page) {
    INFO(path);
    CHECK(printed.contains(path));
  }
}

/// The words of an enumeration, up to its last one.
template <class Enum>
void add_words(std::vector<std::string>& words, Enum last) {
  for (int value = 0; value <= static_cast<int>(last); ++value) {
    words.emplace_back(model::to_string(static_cast<Enum>(value)));
  }
}

/// The objects between "```json" and "```".
std::vector<Json> examples() {
  const std::string text = page();
  const std::string fence = "```json\n";
  std::vector<Json> found;
  for (std::size_t at = text.find(fence); at != std::string::npos; at = text.find(fence, at)) {
    at += fence.size();
    found.push_back(Json::parse(text.substr(at, text.find("```", at) - at)));
  }
  return found;
}

}  // namespace

TEST_CASE("docs/json.md has the fields of snapshots, and no others") {
  compare(printed_snapshots(), documented("Snapshots"));
}

TEST_CASE("docs/json.md has the fields of events, and no others") { compare(printed_events(), documented("Events")); }

TEST_CASE("docs/json.md has the fields of doctor, and no others") { compare(printed_doctor(), documented("Doctor")); }

TEST_CASE("docs/json.md has every word that a field can be") {
  std::vector<std::string> words;
  add_words(words, model::Group::kNetns);
  add_words(words, model::Role::kClient);
  add_words(words, model::Attribution::kNone);
  add_words(words, model::Event::Kind::kQueueDrop);
  add_words(words, model::Event::Substate::kTimeWait);
  add_words(words, model::Event::Reason::kOther);
  add_words(words, model::Trouble::Kind::kRefused);
  add_words(words, model::Forecast::State::kFull);
  add_words(words, model::Log::Kind::kJournal);
  const std::string text = page();
  for (const std::string& word : words) {
    INFO(word);
    CHECK(text.find("`" + word + "`") != std::string::npos);
  }
}

TEST_CASE("the examples of docs/json.md have the fields of the page") {
  const std::vector<Json> all = examples();
  REQUIRE(all.size() == 2);
  const auto check = [](const Json& example, const std::string& section, const std::string& prefix) {
    Fields fields;
    collect(example, prefix, fields);
    const Fields page = documented(section);
    for (const auto& [path, field] : fields) {
      INFO(path);
      CHECK(page.contains(path));
    }
    for (const auto& [path, field] : page) {
      if (!path.starts_with(prefix) || path.substr(prefix.size()).find_first_of(".[") != std::string::npos) continue;
      const std::string name = path.substr(prefix.size());
      if (prefix == "rows[]." && (name == "peer" || name == "namespaces")) continue;  // of other groups
      INFO(path);
      CHECK(example.contains(name));
    }
  };
  check(all[0], "Snapshots", "rows[].");
  check(all[1], "Events", "");
}
