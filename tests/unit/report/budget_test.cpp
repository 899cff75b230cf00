// SPDX-License-Identifier: Apache-2.0
#include "report/budget.hpp"

#include "support/catch.hpp"

using namespace twtrace;
using report::Metric;
using view::Op;

namespace {

report::Budget parsed(const std::string& text) {
  auto budget = report::parse_budget(text);
  INFO(text << ": " << (budget ? "" : budget.error().what));
  REQUIRE(budget);
  return *budget;
}

base::Error refused(const std::string& text) {
  auto budget = report::parse_budget(text);
  INFO(text);
  REQUIRE(!budget);
  CHECK(budget.error().code == base::ErrorCode::kUsage);
  CHECK(!budget.error().hint.empty());
  return budget.error();
}

model::Row row() {
  model::Row row;
  row.netns = 4026531840U;
  row.netns_name = "host";
  row.process = model::ProcessId{812, "nginx", 33, 1, false};
  row.service = base::Service{"systemd", "web.service", "/system.slice/web.service", {}, {}};
  row.role = model::Role::kServer;
  row.port = std::uint16_t{8080};
  return row;
}

}  // namespace

TEST_CASE("a budget is limited by the labels that its metric takes") {
  const std::vector<report::Label> labels = {{view::Key::kService, "service=\"web\""},
                                             {view::Key::kNetns, "netns=id:3"}};
  const auto narrowed = [&](const char* text) { return report::narrowed({parsed(text)}, labels).value().at(0).text; };
  CHECK(narrowed("created>5") == "created{service=\"web\",netns=id:3}>5");
  CHECK(narrowed(" CREATED>5") == " CREATED{service=\"web\",netns=id:3}>5");
  CHECK(narrowed(" created { port=80 } > 5") == " created {service=\"web\",netns=id:3, port=80 } > 5");
  CHECK(narrowed("in_use_peak>80%") == "in_use_peak{netns=id:3}>80%");
  CHECK(narrowed("lost_events>0") == "lost_events>0");
  CHECK(report::narrowed({parsed("created>5")}, {}).value().at(0).text == "created>5");
  CHECK(report::narrowed({parsed("created { port=80 } > 5")}, labels).value().at(0).selector.terms().size() == 3);
  const std::string long_text = "created{service=x" + std::string(4069, ' ') + "}>5";
  CHECK(report::narrowed({parsed(long_text.c_str())}, labels).error().what.find("it has over 4096 bytes") !=
        std::string::npos);
}

TEST_CASE("the budgets of the documentation") {
  report::Budget budget = parsed("overflow>0");
  CHECK(budget.metric == Metric::kOverflow);
  CHECK(parsed("Overflow>0").metric == Metric::kOverflow);
  CHECK(budget.op == Op::kGreater);
  CHECK(budget.value == 0);
  CHECK(!budget.percent);
  CHECK(budget.selector.empty());

  budget = parsed("in_use_peak>80%");
  CHECK(budget.metric == Metric::kInUsePeak);
  CHECK(budget.value == 80);
  CHECK(budget.percent);

  budget = parsed("created{service=web.service}>1000");
  CHECK(budget.metric == Metric::kCreated);
  CHECK(budget.selector.accepts(view::subject_of(row())));
  CHECK(budget.value == 1000);

  budget = parsed("created_ratio>3");
  CHECK(budget.metric == Metric::kCreatedRatio);
}

TEST_CASE("every metric can be named, and is found by its number") {
  for (const report::MetricInfo& metric : report::metrics()) {
    CHECK(parsed(std::string(metric.name) + ">=1.5").metric == metric.metric);
    CHECK(report::info(metric.metric).name == metric.name);
  }
}

TEST_CASE("every comparison") {
  const std::pair<const char*, Op> all[] = {{">", Op::kGreater},    {">=", Op::kGreaterEqual}, {"<", Op::kLess},
                                            {"<=", Op::kLessEqual}, {"==", Op::kEqual},        {"!=", Op::kNotEqual}};
  for (const auto& [text, op] : all) {
    CHECK(parsed("created" + std::string(text) + "5").op == op);
    INFO(text);
    CHECK(view::holds(4, op, 5) == (op == Op::kLess || op == Op::kLessEqual || op == Op::kNotEqual));
    CHECK(view::holds(5, op, 5) == (op == Op::kLessEqual || op == Op::kGreaterEqual || op == Op::kEqual));
    CHECK(view::holds(6, op, 5) == (op == Op::kGreater || op == Op::kGreaterEqual || op == Op::kNotEqual));
  }
}

TEST_CASE("labels, blanks and quotes") {
  report::Budget budget =
      parsed("  created { service = \"a, {b} c\" , comm=nginx*,role=client, port=6379 , netns= blue } >= 1.5 % ");
  const auto key = [&](std::size_t i) { return budget.selector.terms()[i].key; };
  REQUIRE(budget.selector.terms().size() == 5);
  CHECK(key(0) == view::Key::kService);
  CHECK(budget.selector.terms()[0].pattern.text() == "a, {b} c");
  CHECK(key(1) == view::Key::kComm);
  CHECK(budget.selector.terms()[1].pattern.matches("nginx: worker"));
  CHECK(key(2) == view::Key::kRole);
  CHECK(key(3) == view::Key::kPort);
  CHECK(budget.selector.terms()[3].number == 6379);
  CHECK(key(4) == view::Key::kNetns);
  CHECK(budget.value == 1.5);
  CHECK(budget.percent);
  CHECK(budget.text.front() == ' ');
  budget = parsed("in_use_peak{netns=4026531840}>=1");
  CHECK(budget.selector.terms().size() == 1);
  CHECK(parsed("created{port>8000 service!=web}>0").selector.terms().size() == 2);
}

TEST_CASE("what makes no sense is refused with its position") {
  const std::pair<const char*, const char*> all[] = {
      {"", "character 1: expected a metric"},
      {">0", "character 1: expected a metric"},
      {"  overflo>0", "character 3: unknown metric \"overflo\""},
      {"Overflw>0", "character 1: unknown metric \"Overflw\""},
      {"overflow", "character 9: the comparison is missing"},
      {"overflow=0", "character 9: = is not a comparison"},
      {"overflow=>0", "character 9: = is not a comparison"},
      {"overflow>", "character 10: expected a number"},
      {"created{comm=\xc3\xa9}>", "character 17: expected a number"},
      {"overflow>>0", "character 10: expected a number"},
      {"overflow>-1", "character 10: expected a number"},
      {"overflow>inf", "character 10: expected a number"},
      {"overflow>nan", "character 10: expected a number"},
      {"overflow>1.", "character 10: expected a number"},
      {"overflow>.5", "character 10: expected a number"},
      {"overflow>0x10", "character 11: \"x10\" does not belong here"},
      {"overflow>1e3", "character 11: \"e3\" does not belong here"},
      {"overflow>0 0", "character 12: \"0\" does not belong here"},
      {"overflow>99999999999999999999", "character 10: this number is too large"},
      {"lost_events>1%", "character 14: a percentage makes no sense here: lost_events has no total"},
      {"created_ratio>3%", "character 16: a percentage makes no sense here: created_ratio has no total"},
      {"created{", "character 9: expected a label"},
      {"created{}>0", "character 9: expected a label"},
      {"created{pid=1}>0", "character 9: unknown label \"pid\""},
      {"created{service}>0", "character 16: expected ="},
      {"created{service=}>0", "character 17: expected a value"},
      {"created{service= }>0", "character 18: expected a value"},
      {"created{service=\"\"}>0", "character 17: expected a value"},
      {"created{service=\"a>0", "character 17: this quote is never closed"},
      {"created{service=a>0", "character 20: expected , or }"},
      {"created{service=a\"b\"}>0", "character 18: a quote can only begin a value"},
      {"created{service=a b}>0", "character 20: expected = after b"},
      {"created{overflow>0}>0", "character 9: unknown label \"overflow\""},
      {"created{comm>1}>0", "character 14: comm is not a number: > makes no sense"},
      {"created{service=a,}>0", "character 19: expected a label"},
      {"created{role=both}>0", "character 14: unknown role \"both\""},
      {"created{port=0}>0", "character 14: \"0\" is not a port number"},
      {"created{port=65536}>0", "character 14: \"65536\" is not a port number"},
      {"created{port=80x}>0", "character 14: \"80x\" is not a port number"},
      {"in_use_peak{service=a}>0", "character 13: in_use_peak is known per netns only"},
      {"lost_events{netns=a}>0", "character 12: lost_events takes no labels"},
  };
  for (const auto& [text, what] : all) {
    const base::Error error = refused(text);
    INFO(text << " -> " << error.what);
    CHECK(error.what.find(what) != std::string::npos);
  }
  const std::pair<const char*, const char*> hints[] = {
      {"overflow", "use one of > >= < <= == !=, as in overflow>0"},
      {"overflow>1,000", "write the number in digits, as in 1000 or 1.5"},
      {"overflow>10k", "write the number in digits, as in 1000 or 1.5"},
      {"overflow>1e3", "write the number in digits, as in 1000 or 1.5"},
      {"overflow>0,created>5", "give each budget its own --fail-if"},
      {"overflow>0 and created>5", "give each budget its own --fail-if"},
      {"in_use_peak>80%,created>5", "give each budget its own --fail-if"},
      {"overflow>0;", "for example 'overflow>0'"},
      {"0<overflow", "the metric comes first, as in overflow>0"},
      {"created(service=x)>1", "as in created{service=web.service}>1000"},
      {"created[service=x]>1", "as in created{service=web.service}>1000"},
      {"created{service~x}>1", "service=VALUE"},
  };
  for (const auto& [text, hint] : hints) {
    INFO(text << " -> " << refused(text).hint);
    CHECK(refused(text).hint.starts_with(hint));
  }
  CHECK(refused("overflo>0").hint.rfind("did you mean \"overflow\"? expected one of ", 0) == 0);
  CHECK(refused("created{servic=x}>0").hint.rfind("did you mean \"service\"? ", 0) == 0);
  CHECK(refused("nope>0").hint.find("overflow_fin_wait2") != std::string::npos);
  CHECK(refused("created{x=1}>0").hint.find("service, comm, role, port, netns") != std::string::npos);
  CHECK(refused(std::string(100'000, 'x')).what.size() < 2000);
  CHECK(refused("created{comm=" + std::string(5000, 'x') + "}>0").what.find("character 1: it has over 4096 bytes") !=
        std::string::npos);
  const base::Error too_long = refused("created{comm=" + std::string(513, '*') + "}>0");
  CHECK(too_long.what.ends_with(
      "character 14: a text of 513 bytes is too long, 512 bytes at most can be compared with names"));
  CHECK(too_long.hint == "give a part of the name");
  CHECK(report::parse_budget("created{comm=" + std::string(512, '*') + "}>0"));
  std::string labels;
  for (int i = 0; i < 32; ++i) labels += "port!=1,";
  CHECK(report::parse_budget("created{" + labels.substr(0, labels.size() - 1) + "}>0"));
  CHECK(refused("created{" + labels + "port!=1}>0").what.ends_with("there are more than 32 terms"));
}

TEST_CASE("labels take rows as filters do") {
  const auto takes = [](const std::string& labels, const model::Row& of) {
    return parsed("created{" + labels + "}>0").selector.accepts(view::subject_of(of));
  };
  for (const char* labels :
       {"service=web.service", "SERVICE=web", "service=w*", "service=we", "comm=ngin", "comm=NGINX", "service==web",
        "role=server,port=8080", "port>8000", "port<=8080", "netns=host", "netns=4026531840", "comm!=redis"}) {
    INFO(labels);
    CHECK(takes(labels, row()));
  }
  for (const char* labels : {"service=b*", "service==we", "comm=ngin?x", "role=client,port=8080", "port=80",
                             "port>8080", "netns=blue,comm=nginx", "netns=402653184", "comm!=ngin"}) {
    INFO(labels);
    CHECK_FALSE(takes(labels, row()));
  }
  model::Row rest = row();
  rest.kind = model::RowKind::kUnattributed;
  CHECK(takes("netns=host", rest));
  CHECK(!takes("comm=*", rest));
  CHECK(!takes("comm!=x", rest));
}

TEST_CASE("labels that nothing can match are a mistake") {
  const auto error = [](const char* text) {
    const auto budget = report::parse_budget(text);
    INFO(text);
    REQUIRE_FALSE(budget);
    CHECK(budget.error().code == base::ErrorCode::kUsage);
    return budget.error().what;
  };
  CHECK(error("overflow{role=server,role=client}>1") ==
        "budget \"overflow{role=server,role=client}>1\": character 22: nothing has two roles, so no row can match");
  CHECK(error("overflow{comm=a,role!=server,role!=client}>1").find("nothing has two roles") != std::string::npos);
  CHECK(error("overflow{port>65535}>1").find("character 10: no port is like that") != std::string::npos);
  for (const char* text : {"overflow{port<1}>1", "overflow{port=80,port=443}>1", "overflow{port>80,port<81}>1"}) {
    CHECK(error(text).find("no port is like that") != std::string::npos);
  }
  for (const char* text : {"overflow{role=server,role!=client}>1", "overflow{port>65534}>1", "overflow{port<=1}>1",
                           "overflow{port>79,port<81}>1", "overflow{port!=80,port!=81,port>79,port<83}>1"}) {
    INFO(text);
    CHECK(report::parse_budget(text));
  }
}
