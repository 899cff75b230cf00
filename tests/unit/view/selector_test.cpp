// SPDX-License-Identifier: Apache-2.0
#include "view/selector.hpp"

#include <map>
#include <string>

#include "support/catch.hpp"
#include "support/entries.hpp"
#include "support/snapshots.hpp"

using namespace twtrace;
using view::Grammar;
using view::Key;
using view::Op;
using view::Selector;

namespace {

/// The fact of test::worker_row(), in a namespace of its.
struct WorkerFact {
  model::Identity identity;
  model::Counters counts;
  model::NetnsInfo netns{1, 4026531840U, "host", {}, {}};

  WorkerFact() {
    identity = test::worker(812, "redis-worker");
    identity.service = *test::worker_row().service;
  }
  bool accepted_by(const Selector& selector) const {
    const model::Fact fact{identity, model::RowKind::kNormal, nullptr, counts, counts, counts, {}};
    return selector.accepts(view::subject_of(fact, netns));
  }
};

struct Answers {
  bool fact;
  bool row;
  bool event;
  bool operator==(const Answers&) const = default;
};

Answers answers(std::string_view text) {
  const Selector selector = test::selector(text);
  return {WorkerFact().accepted_by(selector), selector.accepts(view::subject_of(test::worker_row())),
          selector.accepts(view::subject_of(test::event()))};
}

view::SelectorError refused(std::string_view text, Grammar grammar = Grammar::kFilter) {
  const auto parsed = view::parse_selector(text, grammar);
  INFO(text);
  REQUIRE_FALSE(parsed);
  CHECK_FALSE(parsed.error().hint.empty());
  return parsed.error();
}

}  // namespace

TEST_CASE("a selector takes facts, rows and events by the same terms") {
  for (const char* text : {"",
                           " ",
                           "redis",
                           "REDIS",
                           "worker.service",
                           "6379",
                           "637",
                           "client",
                           "host",
                           "4026531840",
                           "812",
                           "redis*",
                           "r?dis-worker",
                           "comm=redis",
                           "COMM=Redis",
                           "comm=*worker",
                           "comm=[qr]*",
                           "comm==redis-worker",
                           "comm!=nginx",
                           "comm=redis comm=worker",
                           "service=work",
                           "service=worker",
                           "service==worker",
                           "service=system.slice/w",
                           "port=6379",
                           "Port == 6379",
                           "port>6000",
                           "port>=6379",
                           "port<6380",
                           "port<=6379",
                           "port!=80",
                           "port>6000,port<7000",
                           "role=client",
                           "role=c",
                           "role!=server",
                           "netns=host",
                           "netns=hos",
                           "netns=4026531840",
                           "pid=812",
                           "pid<1000",
                           "redis role=client , port=6379",
                           "\"redis-worker\"",
                           "comm=\"redis-worker\""}) {
    INFO(text);
    CHECK(answers(text) == Answers{true, true, true});
  }
  for (const char* text : {"nginx",
                           "81",
                           "40265",
                           "redis?",
                           "comm=worker.service",
                           "comm=redis?",
                           "comm==redis",
                           "comm!=redis",
                           "comm!=r*",
                           "service==work",
                           "service=/ork",
                           "port=637",
                           "port>6379",
                           "port<6379",
                           "port!=6379",
                           "role=server",
                           "role!=c",
                           "netns=web",
                           "netns=402653184",
                           "netns!=host",
                           "netns!=4026531840",
                           "redis nginx",
                           "pid=813",
                           "pid!=812",
                           "pid=812 pid=813",
                           "\"redis worker\""}) {
    INFO(text);
    CHECK(answers(text) == Answers{false, false, false});
  }
  CHECK(answers("10.0.0.2") == Answers{false, false, true});
  CHECK(answers("overflow") == Answers{false, false, true});
}

TEST_CASE("what is not known matches no term, whatever its operator") {
  model::Row row;
  row.netns = 7;
  for (const char* text : {"comm!=x", "service!=x", "role!=server", "port!=1", "pid!=1", "pid<9", "netns=x"}) {
    INFO(text);
    CHECK_FALSE(test::selector(text).accepts(view::subject_of(row)));
  }
  CHECK(test::selector("netns!=x").accepts(view::subject_of(row)));
  CHECK(test::selector("netns=7").accepts(view::subject_of(row)));
}

TEST_CASE("remainders are found by their namespace and the name they are shown with") {
  model::Row other = test::worker_row();
  other.kind = model::RowKind::kOther;
  const auto takes = [&](std::string_view text) { return test::selector(text).accepts(view::subject_of(other)); };
  for (const char* text : {"", "other", "host", "netns=host"}) CHECK(takes(text));
  for (const char* text : {"unattributed", "redis", "service=*", "comm!=x", "port=6379"}) CHECK_FALSE(takes(text));
}

TEST_CASE("terms of the command line: family and ports") {
  WorkerFact worker;
  const auto only = [](Key key, double number) {
    Selector selector;
    selector.add(view::Term::equal(key, number));
    return selector;
  };
  CHECK(worker.accepted_by(only(Key::kIpVersion, 4)));
  CHECK_FALSE(worker.accepted_by(only(Key::kIpVersion, 6)));
  worker.identity.ipv6 = true;
  CHECK(worker.accepted_by(only(Key::kIpVersion, 6)));
  CHECK(worker.accepted_by(only(Key::kLocalPort, 1)));  // the kernel side has compared them
  worker.identity.matched = false;
  CHECK_FALSE(worker.accepted_by(only(Key::kLocalPort, 1)));
  const view::Subject event = view::subject_of(test::event());
  CHECK(only(Key::kLocalPort, 4242).accepts(event));
  CHECK_FALSE(only(Key::kLocalPort, 6379).accepts(event));
  CHECK(only(Key::kRemotePort, 6379).accepts(event));
  CHECK_FALSE(only(Key::kRemotePort, 4242).accepts(event));
}

TEST_CASE("a namespace is chosen by its id, which no other has") {
  model::Event event = test::event();
  event.netns_id = 3;
  for (const char* text : {"netns=id:3", "netns==ID:3", "netns!=id:4", "netns=4026531840", "netns==host"}) {
    INFO(text);
    CHECK(test::selector(text).accepts(view::subject_of(event)));
  }
  for (const char* text : {"netns=id:4", "netns!=id:3", "netns=3"}) {
    INFO(text);
    CHECK_FALSE(test::selector(text).accepts(view::subject_of(event)));
  }
  CHECK(Selector({view::netns_term(3)}).accepts(view::subject_of(event)));
  event.netns_id.reset();  // of an old capture
  for (const char* text : {"netns=id:3", "netns!=id:3"}) {
    CHECK_FALSE(test::selector(text).accepts(view::subject_of(event)));
  }
  for (const char* value : {"id:", "id:x", "id:3 ", "id:-1", "id:4294967296", "id:3.0"}) {
    INFO(value);
    const auto term = view::make_term("netns", view::Op::kEqual, value, view::Grammar::kLabels);
    REQUIRE_FALSE(term);
    CHECK(term.error().what.find(value) != std::string::npos);
  }
}

TEST_CASE("a term that names one namespace is refused if several had that number or name") {
  const std::vector<model::NetnsName> namespaces = {{1, 4026531840U, "host"}, {2, 77, "blue"}, {3, 77, "green"},
                                                    {4, 78, "blue"},          {5, 79, ""},     {6, 79, ""}};
  for (const char* text : {"", "netns=host", "netns==host", "netns=blue", "netns=b*", "netns=78", "netns!=77",
                           "netns=id:2", "netns=7", "comm=77", "netns==none"}) {
    INFO(text);
    CHECK(view::check_unambiguous(test::selector(text), namespaces));
  }
  const auto error = [&](const char* text) {
    const auto clear = view::check_unambiguous(test::selector(text), namespaces);
    REQUIRE_FALSE(clear);
    return clear.error().what + "; " + clear.error().hint;
  };
  CHECK(error("netns=77") ==
        "2 network namespaces had the inode number \"77\", one after another; type the id of one of them: "
        "id:2 (blue), id:3 (green)");
  CHECK(error("netns==blue") ==
        "2 network namespaces had the name \"blue\", one after another; type the id of one of them: "
        "id:2 (77), id:4 (78)");
  CHECK(error("role=server netns==79").find("id:5 (79), id:6 (79)") != std::string::npos);
}

TEST_CASE("a service is found by part of its id and its pod, too") {
  model::Event event = test::event();
  event.service.container = "0123456789abcdef";
  event.service.pod = {"shop", "web-1", "7d1c-0"};
  const auto takes = [&](std::string_view text) { return test::selector(text).accepts(view::subject_of(event)); };
  for (const char* text :
       {"service=web-1", "service=0123456789", "7d1c", "service=web-?", "service=worker.service@0"}) {
    INFO(text);
    CHECK(takes(text));
  }
  CHECK_FALSE(takes("service=shopweb"));
}

TEST_CASE("amounts are no matter of a subject, and the other way round") {
  const Selector selector = test::selector("overflow>0 comm=nginx");
  model::Counters counts;
  CHECK_FALSE(selector.accepts(view::Amounts{counts, {}, 0, 0}));
  counts.overflow_fin_wait2 = 1;
  CHECK(selector.accepts(view::Amounts{counts, {}, 0, 0}));
  CHECK_FALSE(selector.accepts(view::subject_of(test::worker_row())));
  CHECK(selector.asks(Key::kAmount));
  CHECK(selector.without(Key::kComm).accepts(view::subject_of(test::worker_row())));
  CHECK(selector.only(Key::kComm).accepts(view::Amounts{{}, {}, 0, 0}));
  CHECK_FALSE(selector.only(Key::kComm).asks(Key::kAmount));
}

TEST_CASE("every number of a row can be compared") {
  const model::Counters counts{1,    2,    4,    8,     16,    32,    64,     128,    256,   1024,
                               2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144, 524288};
  const view::Amounts amounts{counts, 512, 1.5, 2.5};
  for (const char* text : {"created=3",
                           "time_wait=1",
                           "fin_wait2=2",
                           "overflow=12",
                           "overflow_time_wait=4",
                           "overflow_fin_wait2=8",
                           "no_memory=16",
                           "expired=32",
                           "reused=64",
                           "recycled=128",
                           "purged=256",
                           "live=512",
                           "no_port=1024",
                           "resets_received=2048",
                           "resets_felt=4096",
                           "peer_resets=8192",
                           "peer_resets_avoidable=16384",
                           "resets_late=32768",
                           "resets_aborted=65536",
                           "resets_closed_port=131072",
                           "resets_other=262144",
                           "resets_sent=499712",
                           "queue_drops=524288",
                           "created/s=1.5",
                           "created_per_s=1.5",
                           "OVERFLOW/s=2.5",
                           "overflow_per_s>=2.5",
                           "live!=0"}) {
    INFO(text);
    CHECK(test::selector(text).accepts(amounts));
  }
  CHECK_FALSE(test::selector("live!=0").accepts(view::Amounts{counts, {}, 0, 0}));
}

TEST_CASE("a mistake is refused with what to type") {
  const auto what = [](std::string_view text) { return refused(text).what; };
  CHECK(what("comm=") == "expected a value after comm=");
  CHECK(refused("comm=").hint == "for example comm=nginx");
  CHECK(refused("overflow>").hint == "for example overflow>0");
  CHECK(what("service=\"\"") == "expected a value after service=");
  CHECK(what("por=80") == "unknown name \"por\"");
  CHECK(refused("por=80").hint.find("did you mean \"port\"?") == 0);
  CHECK(what("port=x") == "\"x\" is not a port number");
  CHECK(what("port=65536") == "\"65536\" is not a port number");
  CHECK(what("port=0") == "\"0\" is not a port number");
  CHECK(what("pid=0812x") == "\"0812x\" is not a number that pid can be compared with");
  CHECK(what("pid=1.5") == "\"1.5\" is not a number that pid can be compared with");
  CHECK(what("overflow>-1") == "\"-1\" is not a number that overflow can be compared with");
  CHECK(what("live>1.") == "\"1.\" is not a number that live can be compared with");
  CHECK(what("live>1k") == "\"1k\" is not a number that live can be compared with");
  CHECK(what("comm>5") == "comm is not a number: > makes no sense");
  CHECK(what("role=lient") == "unknown role \"lient\"");
  CHECK(what("=5") == "expected a name before =");
  CHECK(what("comm=a,") == "expected a name");
  CHECK(what("\"a") == "this quote is never closed");
  CHECK(what("a\"b\"") == "a quote can only begin a value");
  CHECK(what("comm=\"nginx \"") == "\"nginx \" ends with a blank");
  CHECK(what("service!=\" a\"") == "\" a\" begins with a blank");
  CHECK(what("netns==\"\t\"") == "\"\t\" begins with a blank");
  CHECK(view::parse_selector("comm=\"Web Content\"", Grammar::kFilter));
  const std::string longest(512, 'x');
  CHECK(what(longest + "x") == "a text of 513 bytes is too long, 512 bytes at most can be compared with names");
  for (const char* key : {"service=", "comm!=", "netns=="}) {
    CHECK(what(key + longest + "x").starts_with("a text of 513 bytes is too long"));
    CHECK(view::parse_selector(key + longest, Grammar::kFilter));
  }
  std::string words;
  for (int i = 0; i < 32; ++i) words += "a ";
  CHECK(view::parse_selector(words, Grammar::kFilter));
  CHECK(what(words + "a") == "there are more than 32 terms");
  CHECK(refused("redis  port=x").at == 12);
  CHECK(refused("redis  por=x").at == 7);
}

TEST_CASE("the titles of columns are keys, too") {
  for (const auto& [title, name] : std::map<std::string, std::string>{{"COMMAND", "comm"}, {"felt", "resets_felt"}}) {
    const std::string value = name == "comm" ? "=nginx" : ">0";
    const auto by_title = view::parse_selector(title + value, Grammar::kFilter);
    const auto by_name = view::parse_selector(name + value, Grammar::kFilter);
    REQUIRE(by_title);
    REQUIRE(by_name);
    CHECK(by_title->terms().front().key == by_name->terms().front().key);
    CHECK(by_title->terms().front().amount == by_name->terms().front().amount);
  }
  CHECK(refused("TABLE>0").what == "unknown name \"TABLE\"");
}

TEST_CASE("a colon is no comparison, but part of an address or of a quoted name") {
  CHECK(refused(":443").hint.find("did you mean port=443?") == 0);
  CHECK(refused("Port:443").hint.find("did you mean port=443?") == 0);
  CHECK(refused("nginx comm:php").hint.find("did you mean comm=php?") == 0);
  for (const char* text : {"::1", "fe80:", "2001:db8::1", "port:", "\":443\"", "\"comm:a\"", "a:b", "127.0.0.1:80"}) {
    INFO(text);
    CHECK(view::parse_selector(text, Grammar::kFilter));
  }
}

TEST_CASE("labels are terms about whose buckets") {
  const auto labels = [](std::string_view text) { return view::parse_selector(text, Grammar::kLabels); };
  CHECK(labels("service=a, comm=b role=c").value().terms().size() == 3);
  for (const char* text : {"", " ", "redis", "pid=1", "overflow>0", "service=a,"}) refused(text, Grammar::kLabels);
  CHECK(refused("created>0", Grammar::kLabels).hint == "expected one of service, comm, role, port, netns");
}

TEST_CASE("any bytes are a selector or refused") {
  test::Random random(3);
  constexpr std::string_view kBytes = "ab=<>!\", \t*[]?/0.\xff\x01";
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::uint64_t left = random.up_to(8); left > 0; --left) text += kBytes[random.up_to(kBytes.size() - 1)];
    const auto parsed = view::parse_selector(text, Grammar::kFilter);
    if (parsed) {
      static_cast<void>(parsed->accepts(view::subject_of(test::event())));
    } else {
      REQUIRE(parsed.error().at <= text.size());
      REQUIRE_FALSE(parsed.error().hint.empty());
    }
  }
}
