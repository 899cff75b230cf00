// SPDX-License-Identifier: Apache-2.0
#include "phrases/trouble.hpp"

#include <string>

#include "phrases/namespace.hpp"
#include "support/catch.hpp"
#include "support/services.hpp"

using namespace twtrace;
using model::Trouble;

namespace {

std::string words(const Trouble& trouble) {
  std::string all;
  for (const phrases::Remark& remark : phrases::trouble_remarks(trouble)) {
    all += (all.empty() ? "" : "; ") + remark.text;
  }
  return all;
}

Trouble full() {
  Trouble trouble;
  trouble.kind = Trouble::Kind::kFull;
  trouble.netns = 4026531840U;
  trouble.netns_name = "host";
  trouble.use = model::Use{5000, 5000};
  trouble.holder = model::Party{"scheduler.service", "scheduler", false, 2930, 0, 0.586};
  trouble.refused = model::Party{"web.service", "nginx", false, 29, 29, 0.93};
  trouble.refused_per_s = 31.2;
  return trouble;
}

}  // namespace

TEST_CASE("a full table says who holds it and who is refused") {
  Trouble trouble = full();
  CHECK(words(trouble) == "FULL scheduler.service holds 2,930 of 5,000 (58%); refused now: web.service 29.0/s, 93%");
  trouble.holder.reset();
  CHECK(words(trouble) == "FULL 5,000 of 5,000; refused now: web.service 29.0/s, 93%");
  trouble.refused.reset();
  CHECK(words(trouble) == "FULL 5,000 of 5,000; refused now: 31.2/s");
  trouble.use.reset();
  trouble.refused_per_s = 0;
  CHECK(words(trouble) == "FULL table");
}

TEST_CASE("a namespace that is not the host's is named, by its number if it has no name") {
  Trouble trouble = full();
  trouble.refused_per_s = 0;
  trouble.netns_name = "web";
  CHECK(words(trouble) ==
        "FULL netns web: scheduler.service holds 2,930 of 5,000 (58%); refused before: web.service 29, 93%");
  trouble.netns_name.clear();
  trouble.kind = Trouble::Kind::kRefused;
  CHECK(words(trouble) == "refused before in netns 4026531840: web.service 29, 93%");
}

TEST_CASE("scopes say too little: the process is named, too") {
  Trouble trouble = full();
  trouble.refused_per_s = 0;
  trouble.refused.reset();
  trouble.holder = model::Party{"session-3.scope", "python3", false, 10, 0, 0.002};
  CHECK(words(trouble) == "FULL python3 of session-3.scope holds 10 of 5,000 (0%)");
  trouble.holder = model::Party{"", "", true, 4000, 0, 0.8};
  CHECK(words(trouble) == "FULL 4,000 of 5,000 (80%) were there before start");
}

TEST_CASE("buckets from before start are told with their place, and with who is there") {
  Trouble trouble = full();
  trouble.refused_per_s = 0;
  trouble.refused.reset();
  trouble.holder = model::Party{"", "", true, 4000, 0, 0.8};
  trouble.older = model::OlderBuckets{model::Role::kServer, 80, 3900, "nginx.service"};
  CHECK(words(trouble) ==
        "FULL 4,000 of 5,000 (80%) were there before start; 3,900 on :80, where nginx.service listens");
  CHECK(phrases::trouble_remarks(trouble, phrases::Tense::kPast)[1].text ==
        "3,900 on :80, where nginx.service listened");
  trouble.older = model::OlderBuckets{model::Role::kClient, 6379, 3900, "worker.service"};
  CHECK(words(trouble).ends_with("; 3,900 to :6379, where worker.service connects"));
  trouble.older->buckets = 4000;
  CHECK(words(trouble).ends_with("; all to :6379, where worker.service connects"));
  trouble.older->buckets = 3900;
  trouble.older->service.clear();
  trouble.older->port = 0;
  CHECK(words(trouble).ends_with("; 3,900 to many ports"));
  trouble.kind = Trouble::Kind::kPorts;
  trouble.use = model::Use{1001, 1001};
  trouble.destination = model::Peer{"10.0.0.9", std::uint16_t{8081}};
  trouble.holder.reset();
  CHECK(words(trouble) ==
        "PORTS -> 10.0.0.9:8081 1,001 of 1,001 ports taken; "
        "3,900 from before start, more than the range has now");
  trouble.older->buckets = 1001;
  CHECK(words(trouble).ends_with("; 1,001 from before start"));
  trouble.older->service = "php-fpm.service";
  CHECK(words(trouble).starts_with("PORTS php-fpm.service -> 10.0.0.9:8081 "));
}

TEST_CASE("ports name client and destination") {
  Trouble trouble;
  trouble.kind = Trouble::Kind::kPorts;
  trouble.netns_name = "host";
  trouble.use = model::Use{1001, 1001};
  trouble.destination = model::Peer{"10.0.0.9", std::uint16_t{8081}};
  trouble.holder = model::Party{"php-fpm.service", "php-fpm", false, 0, 0, 1};
  CHECK(words(trouble) == "PORTS php-fpm.service -> 10.0.0.9:8081 1,001 of 1,001 ports taken");
  CHECK(phrases::trouble_remarks(trouble)[0].tone == phrases::Tone::kAlarm);
  trouble.holder.reset();
  trouble.destination = model::Peer{"2001:db8::1", std::uint16_t{443}};
  trouble.use->taken = 900;
  CHECK(words(trouble) == "PORTS -> [2001:db8::1]:443 900 of 1,001 ports taken");
  CHECK(phrases::trouble_remarks(trouble)[0].tone == phrases::Tone::kWarning);
}

TEST_CASE("connects that find no port are told with who made them") {
  Trouble trouble;
  trouble.kind = Trouble::Kind::kPorts;
  trouble.netns_name = "host";
  trouble.use = model::Use{990, 1001};
  trouble.destination = model::Peer{"10.0.0.9", std::uint16_t{8081}};
  trouble.no_port_per_s = 150;
  trouble.unconnected = model::Party{"php-fpm.service", "php-fpm", false, 0, 148, 0.98};
  CHECK(words(trouble) ==
        "PORTS php-fpm.service -> 10.0.0.9:8081 990 of 1,001 ports taken; "
        "cannot connect: php-fpm.service 148/s");
  CHECK(phrases::trouble_remarks(trouble)[0].tone == phrases::Tone::kAlarm);
  trouble.use.reset();
  trouble.destination->address.clear();
  trouble.unconnected.reset();
  CHECK(words(trouble) == "PORTS -> port 8081 no local port is free; cannot connect: 150/s");
  trouble.destination->port.reset();
  CHECK(words(trouble) == "PORTS -> many destinations no local port is free; cannot connect: 150/s");
}

TEST_CASE("ports of a range that the client has of its own are not taken for the namespace's") {
  Trouble trouble;
  trouble.kind = Trouble::Kind::kPorts;
  trouble.netns_name = "host";
  trouble.use = model::Use{10, 10};
  trouble.own_ports = model::PortRange{40000, 40009};
  trouble.destination = model::Peer{"10.0.0.9", std::uint16_t{8081}};
  CHECK(words(trouble) == "PORTS -> 10.0.0.9:8081 10 of 10 ports of its own range 40000-40009 taken");
}

TEST_CASE("binds that find no port are told with who made them") {
  Trouble trouble;
  trouble.kind = Trouble::Kind::kPorts;
  trouble.netns_name = "host";
  trouble.no_port_per_s = 150;
  trouble.unconnected = model::Party{"php-fpm.service", "php-fpm", false, 0, 148, 0.98};
  CHECK(words(trouble) == "PORTS bind() finds no free local port; cannot bind: php-fpm.service 148/s");
  CHECK(phrases::trouble_remarks(trouble)[0].tone == phrases::Tone::kAlarm);
  trouble.no_port_per_s = 0;
  trouble.unconnected->buckets = 25;
  const auto told = phrases::trouble_remarks(trouble, phrases::Tense::kPast);
  CHECK(told[0].text == "PORTS bind() found no free local port");
  trouble.use = model::Use{600, 600};
  CHECK(phrases::trouble_remarks(trouble)[0].text == "PORTS bind() finds no free local port: 600 of 600 taken");
  trouble.unconnected.reset();
  trouble.use->taken = 500;
  CHECK(words(trouble) == "PORTS bind() has taken 500 of 600 ports");
  CHECK(phrases::trouble_remarks(trouble)[0].tone == phrases::Tone::kWarning);
  CHECK(told[1].text == "could not bind: php-fpm.service 25 times, 98%");
}

TEST_CASE("within a line names are cut as far as the numbers need it, and are safe") {
  const auto first = [](std::size_t columns, const Trouble& trouble) {
    return phrases::trouble_remarks_within(columns, trouble).front().text;
  };
  Trouble trouble = full();
  trouble.netns_name = "a-namespace-with-a-very-long-name";
  CHECK(first(0, trouble) ==
        "FULL netns a-namespace-with-a-very-long-name: scheduler.service holds 2,930 of 5,000 (58%)");
  CHECK(first(100, trouble) == "FULL netns a-namespace-with-a-very~: scheduler.service holds 2,930 of 5,000 (58%)");
  CHECK(first(70, trouble) == "FULL netns a-namespace-wi~: scheduler.serv~ holds 2,930 of 5,000 (58%)");
  CHECK(first(56, trouble) == "FULL netns a-names~: schedul~ holds 2,930 of 5,000 (58%)");
  CHECK(first(10, trouble) == first(100, trouble));
  CHECK(phrases::trouble_remarks_within(32, trouble)[1].text == "refused now: web.se~ 29.0/s, 93%");
  trouble.netns_name = "host";
  trouble.holder = model::Party{"session-3.scope", "\x1b[2Jpython3", false, 10, 0, 0.002};
  CHECK(first(0, trouble) == "FULL \\x1B[2Jpython3 of session-3.scope holds 10 of 5,000 (0%)");
  CHECK(first(40, trouble) == "FULL \\x1B[2Jpyth~ holds 10 of 5,000 (0%)");
  trouble.holder = model::Party{};
  CHECK(first(40, trouble).starts_with("FULL an unknown process holds 0 of 5,000"));
}

TEST_CASE("a share is of the number beside it, whatever the limit was before") {
  Trouble trouble = full();
  trouble.refused_per_s = 0;
  trouble.refused.reset();
  trouble.holder = model::Party{"x", "x", false, 90, 0, 0.9};
  trouble.use = model::Use{100, 200};
  CHECK(words(trouble) == "FULL x holds 90 of 200 (45%)");
  trouble.holder->buckets = 180;
  trouble.use = model::Use{200, 100};
  CHECK(words(trouble) == "FULL x holds 180 of 100 (100%)");
}

TEST_CASE("a report tells what was") {
  Trouble trouble = full();
  trouble.refused_per_s = 0;
  trouble.holder = model::Party{"x.service", "x", false, 90, 0, 0.9};
  trouble.use = model::Use{100, 100};
  trouble.refused = model::Party{"y.service", "y", false, 1234, 0, 0.5};
  const auto told = phrases::trouble_remarks(trouble, phrases::Tense::kPast);
  REQUIRE(told.size() == 2);
  CHECK(told[0].text.ends_with("x.service held 90 of 100 (90%)"));
  CHECK(told[1].text == "refused: y.service 1,234, 50%");
}

TEST_CASE("calm is said only where it is true") {
  model::Snapshot snapshot;
  CHECK(phrases::calm_remark(snapshot).text == "no bucket was refused");
  model::NetnsRow netns;
  netns.in_use = 10;
  netns.limit = 5000;
  snapshot.namespaces = {netns};
  CHECK(phrases::calm_remark(snapshot).text == "no table is full, no bucket was refused");
  // --netns leaves out the troubles of other namespaces.
  snapshot.namespaces[0].in_use = 5000;
  CHECK(phrases::calm_remark(snapshot).text == "no trouble in the namespaces that were asked for");
  snapshot.namespaces[0].in_use = 10;
  snapshot.namespaces[0].counts.overflow_time_wait = 1;
  CHECK(phrases::calm_remark(snapshot).text == "no trouble in the namespaces that were asked for");
  snapshot.namespaces[0].missed.overflow = 2;
  CHECK(phrases::calm_remark(snapshot).text == "the kernel refused buckets that no BPF program saw");
  CHECK(phrases::calm_remark(snapshot).tone == phrases::Tone::kWarning);
  snapshot.namespaces[0].counts.no_memory = 1;
  CHECK(phrases::calm_remark(snapshot).text == "buckets were refused: the kernel had no memory for them");
  CHECK(phrases::calm_remark(snapshot).tone == phrases::Tone::kAlarm);
}

TEST_CASE("a queue names who listens, the port, its length and limit, and the settings that limit it") {
  Trouble trouble;
  trouble.kind = Trouble::Kind::kQueue;
  trouble.netns_name = "host";
  model::ListenQueue queue;
  queue.port = 443;
  queue.queue = {512, 511};
  queue.drops = 1700;
  queue.drops_per_s = 12;
  queue.somaxconn = 4096;
  queue.syn_backlog = 512;
  trouble.queue = queue;
  trouble.holder = model::Party{"nginx.service", "nginx", false, 0, 0, 1};
  CHECK(words(trouble) ==
        "QUEUE nginx.service :443 drops 12.0/s, queue 512/511; somaxconn 4,096, tcp_max_syn_backlog 512");
  CHECK(phrases::trouble_remarks(trouble)[0].tone == phrases::Tone::kAlarm);
  CHECK(phrases::trouble_remarks(trouble, phrases::Tense::kPast)[0].text ==
        "QUEUE nginx.service :443 dropped 1,700, queue 512/511");
  trouble.queue->drops_per_s = 0;
  trouble.queue->somaxconn.reset();
  trouble.queue->syn_backlog.reset();
  trouble.queue->port = 0;
  trouble.netns_name = "web";
  trouble.holder->name.clear();
  CHECK(words(trouble) == "QUEUE netns web: an unknown process several ports is full, queue 512/511");
}

TEST_CASE("a selector that matches no namespace is told") {
  model::NetnsRow host;
  host.id = 1;
  host.name = "host";
  const auto told = [&](const char* filter) {
    return phrases::no_netns_words(*view::parse_selector(filter, view::Grammar::kFilter), {host});
  };
  CHECK(told("").empty());
  CHECK(told("comm=nobody").empty());
  CHECK(told("netns=ho*").empty());
  CHECK(told("netns=nos*") == "no network namespace matches 'nos*' yet");
  CHECK(told("netns=nos* comm=x") == "no network namespace matches 'nos*' yet");
  CHECK(phrases::no_netns_words(view::Selector({view::netns_term(1)}), {host}).empty());
  CHECK(phrases::no_netns_words(view::Selector({view::netns_term(7)}), {host}) ==
        "the network namespace that was asked for is not there");
}

TEST_CASE("a queue belongs to a service, else to a process") {
  model::ListenQueue queue;
  queue.port = 443;
  CHECK(phrases::queue_owner_words(queue) == "an unknown process :443");
  queue.comm = "nginx";
  queue.service = test::shared_service("/");
  CHECK(phrases::queue_owner_words(queue) == "nginx :443");
  queue.service = test::shared_service("web.service");
  CHECK(phrases::queue_owner_words(queue) == "web.service :443");
}
