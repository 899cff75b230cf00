// SPDX-License-Identifier: Apache-2.0
// Compares the reports of a recorded deploy with golden/. $TWTRACE_UPDATE_GOLDEN=1 rewrites these files.
#include <algorithm>
#include <array>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "base/escape.hpp"
#include "base/unicode.hpp"
#include "output/diff_formats.hpp"
#include "output/diff_parts.hpp"
#include "output/hosts_formats.hpp"
#include "output/hosts_parts.hpp"
#include "output/html_parts.hpp"
#include "output/report_csv.hpp"
#include "output/report_html.hpp"
#include "output/report_json.hpp"
#include "output/report_markdown.hpp"
#include "output/report_parts.hpp"
#include "output/report_text.hpp"
#include "output/text_grid.hpp"
#include "output/wrap.hpp"
#include "support/catch.hpp"
#include "support/deploy.hpp"
#include "support/golden.hpp"

using namespace twtrace;

namespace {

report::Report report_of(test::HandMade& recording, std::initializer_list<const char*> budgets = {}) {
  std::vector<report::Budget> parsed;
  for (const char* text : budgets) parsed.push_back(report::parse_budget(text).value());
  return report::build_report(recording, parsed).value();
}

/// The deploy on a host where the same programs also run in a second namespace.
std::unique_ptr<test::HandMade> deploy_in_two(const std::string& name) {
  auto recording = test::deploy();
  model::NetnsRow second;
  second.id = 2;
  second.netns = 4026532000U;
  second.name = name;
  second.counts = test::made(123'456'789);
  recording->namespaces.push_back({2, second.netns, name, {}, {}});
  recording->more = {second};
  recording->act({7, "nginx", "web.service", model::Role::kServer, 8080, second.counts, 2});
  recording->sample(5000);
  return recording;
}

/// The deploy on two hosts, one of which is quiet, and one that was captured twice. Two more captures are left out.
report::Hosts hosts_report(const std::string& name) {
  std::vector<report::Host> captures;
  for (int i = 1; i <= 3; ++i) {
    auto recording = i == 2 ? test::deploy() : std::make_unique<test::HandMade>();
    if (i != 2) {
      recording->act(
          {1, "nginx", "web.service", model::Role::kServer, 8080, test::made(100U * static_cast<unsigned>(i))});
      recording->sample(100);
    }
    recording->editable().host.name = name + std::to_string(i == 3 ? 1 : i);
    captures.push_back({{}, name + std::to_string(i) + ".db", report_of(*recording, {"overflow>0", "created>150"})});
  }
  return report::combine(std::move(captures), {{name + "4.db", name + "4.db is damaged", true},
                                               {name + "5.db", "it has no namespace " + name, false}});
}

report::Report deploy_report() {
  return report_of(*test::deploy(), {"overflow>0", "in_use_peak>80%", "created{service=web.service}>100000",
                                     "created_ratio>3", "missed>0"});
}

/// A deploy in which an attacker chose every name.
std::unique_ptr<test::HandMade> hostile() {
  const std::string evil = "<script>alert(1)</script>\x1b[31m|`*_[x](http://e.x)\n=1+1,\"'\xff";
  auto recording = test::deploy();
  model::CaptureInfo& info = recording->editable();
  info.host = {evil, evil};
  info.probe.backend = evil;
  info.probe.fallbacks = {evil};
  info.twtrace_version = evil;
  info.command->argv = {evil, evil};
  info.marks = {{test::kTime + 3000, evil}};
  recording->netns.name = evil;
  recording->namespaces.front().name = evil;
  recording->head.port_use = std::make_shared<std::vector<model::PortUse>>(
      std::vector<model::PortUse>{{4026531840U, {evil, std::uint16_t{1}}, {99, 100}, 1}});
  recording->act({7, evil, evil, model::Role::kServer, 1, test::made(9000, 0, 1, 1)});
  recording->sample(5000);
  return recording;
}

report::Report hostile_report() { return report_of(*hostile(), {"overflow{service=\"<script>\"}>=0", "created>0"}); }

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) all.push_back(line);
  return all;
}

/// Contains everything that could confuse a terminal, a parser or a reader.
void check_harmless(const std::string& text) {
  CHECK(base::is_valid_utf8(text));
  for (const char c : text) CHECK((c == '\n' || static_cast<unsigned char>(c) >= ' '));
}

report::Diff deploy_diff() {
  auto after = test::deploy();
  after->act({9, "cron", "cron.service", model::Role::kClient, 443, test::made(5)});
  after->editable().settings_at_start.front().limit = 6000;
  after->sample(5000);
  return report::diff_reports(report_of(*test::deploy()), report_of(*after),
                              {report::parse_budget("created_ratio>3").value()});
}

/// The SHA-256 of `text` in base64, from sha256sum.
std::string sha256_base64(const std::string& text) {
  std::string path = "/tmp/twtrace-style-XXXXXX";
  const int fd = ::mkstemp(path.data());
  REQUIRE(fd >= 0);
  ::close(fd);
  std::ofstream(path) << text;
  std::array<char, 65> hex{};
  FILE* tool = ::popen(("sha256sum " + path).c_str(), "r");
  REQUIRE(tool != nullptr);
  REQUIRE(std::fread(hex.data(), 1, 64, tool) == 64);
  ::pclose(tool);
  std::remove(path.c_str());
  std::string bits;
  for (std::size_t i = 0; i < 64; ++i) {
    const int digit = std::stoi(std::string(1, hex.at(i)), nullptr, 16);
    for (int bit = 3; bit >= 0; --bit) bits += (digit >> bit & 1) != 0 ? '1' : '0';
  }
  bits.append(2, '0');  // 256 bits are 42 digits and four bits
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bits.size(); i += 6) out += alphabet.at(std::stoul(bits.substr(i, 6), nullptr, 2));
  return out + "=";
}

}  // namespace

TEST_CASE("golden reports of a deploy, in every format") {
  const report::Report report = deploy_report();
  test::check_golden("output/golden/deploy.txt", output::report_text(report, output::Color::kNever));
  test::check_golden("output/golden/deploy.md", output::report_markdown(report));
  test::check_golden("output/golden/deploy.json", output::report_json(report) + "\n");
  test::check_golden("output/golden/deploy.csv", output::report_csv(report));
  test::check_golden("output/golden/deploy.html", output::report_html(report));
}

TEST_CASE("golden differences of two deploys, in every format") {
  const report::Diff diff = deploy_diff();
  test::check_golden("output/golden/diff.txt", output::diff_text(diff, output::Color::kNever));
  test::check_golden("output/golden/diff.md", output::diff_markdown(diff));
  test::check_golden("output/golden/diff.json", output::diff_json(diff) + "\n");
  test::check_golden("output/golden/diff.csv", output::diff_csv(diff));
  test::check_golden("output/golden/diff.html", output::diff_html(diff));
}

TEST_CASE("a difference from a capture that was cut says first that nobody knows whether there is one") {
  auto cut = test::deploy();
  cut->editable().ended_unix_ms.reset();
  const report::Diff diff = report::diff_reports(report_of(*test::deploy()), report_of(*cut), {});
  for (const std::string& text : {output::diff_text(diff, output::Color::kNever), output::diff_markdown(diff)}) {
    CHECK(text.find("it is not known whether the captures differ") < 80);
    CHECK(text.find("the captures do not differ") == std::string::npos);
  }
  const auto json = nlohmann::json::parse(output::diff_json(diff));
  CHECK(json["differ"].is_null());
  const auto allowed = report::diff_reports(report_of(*test::deploy()), report_of(*cut), {}, report::Partial::kAllowed);
  CHECK(nlohmann::json::parse(output::diff_json(allowed))["differ"] == false);
}

TEST_CASE("golden reports of several hosts, in every format") {
  const report::Hosts hosts = hosts_report("web");
  test::check_golden("output/golden/hosts.txt", output::hosts_text(hosts, output::Color::kNever));
  test::check_golden("output/golden/hosts.md", output::hosts_markdown(hosts));
  test::check_golden("output/golden/hosts.json", output::hosts_json(hosts) + "\n");
  test::check_golden("output/golden/hosts.csv", output::hosts_csv(hosts));
  test::check_golden("output/golden/hosts.html", output::hosts_html(hosts));
}

TEST_CASE("names of hosts, files and services are harmless in a report of several hosts") {
  const report::Hosts hosts = hosts_report("<b>\x1b[1m|\xff\"," + std::string(200, 'n'));
  for (const std::string& line : lines(output::hosts_text(hosts, output::Color::kNever))) {
    INFO(line);
    CHECK(base::display_width(line) <= 79);
  }
  const std::string csv = output::hosts_csv(hosts);
  const std::string json = output::hosts_json(hosts);
  for (const std::string& text : {output::hosts_text(hosts, output::Color::kNever), output::hosts_markdown(hosts),
                                  output::hosts_html(hosts), csv, json}) {
    check_harmless(text);
  }
  CHECK(output::hosts_html(hosts).find("<b>\\x1B") == std::string::npos);
  CHECK(nlohmann::json::parse(json)["worst"].is_string());
}

TEST_CASE("a report as text fits a mail, whatever the names are") {
  const std::string long_name(300, 'n');
  for (const auto& report : {deploy_report(), hostile_report(), report_of(*deploy_in_two(long_name))}) {
    const std::string text = output::report_text(report, output::Color::kNever);
    check_harmless(text);
    for (const std::string& line : lines(text)) {
      INFO(line);
      CHECK(base::display_width(line) <= 79);
    }
  }
}

TEST_CASE("rows name their namespace when there is more than one") {
  CHECK(output::report_text(deploy_report(), output::Color::kNever).find("NETNS") == std::string::npos);
  const report::Report report = report_of(*deploy_in_two("blue"));
  const std::string text = output::report_text(report, output::Color::kNever);
  CHECK(std::regex_search(text, std::regex(" PORT +NETNS +CREATED ")));
  CHECK(std::regex_search(text, std::regex("1 +web.service +nginx +server +8080 +blue +123,456,789 ")));
  CHECK(std::regex_search(text, std::regex("3 +web.service +nginx +server +8080 +host +720 ")));
  const std::string markdown = output::report_markdown(report);
  CHECK(std::regex_search(markdown, std::regex("PORT *\\| *NETNS *\\| *CREATED")));
  CHECK(std::regex_search(markdown, std::regex("8080 *\\| *blue *\\| *123,456,789")));
  CHECK(output::report_html(report).find(">blue</td>") != std::string::npos);
  const report::Report nameless = report_of(*deploy_in_two(""));
  CHECK(output::report_text(nameless, output::Color::kNever).find(" 4026532000 ") != std::string::npos);
}

/// A host that followed logs, beside resets of each kind. An attacker wrote the second log.
report::Report report_with_logs(bool resets_known) {
  test::HandMade recording;
  model::CaptureInfo& info = recording.editable();
  info.probe.sees = {true, true, true, resets_known};
  info.logs = {{model::Log::Kind::kFile, "/var/log/app.log", "refused", {2, 3U << 20U, "Permission denied"}},
               {model::Log::Kind::kJournal, "a|b<x>.service", "a|b", {}}};
  const auto sample = [&](std::uint64_t avoidable, std::uint64_t late, std::vector<model::LogLine> lines) {
    recording.unattributed.peer_resets_avoidable += avoidable;
    recording.unattributed.peer_resets += avoidable;
    recording.unattributed.resets_late += late;
    recording.head.log_lines = std::make_shared<const std::vector<model::LogLine>>(std::move(lines));
    recording.sample(10);
  };
  sample(0, 0, {{0, test::kTime + 900, 1, "connection refused"}});
  sample(0, 3,
         {{1, test::kTime + 1900, 1, std::string("<b>\x1b[31m|\0\xff\n=1", 14)}, {0, test::kTime + 1950, 1100, {}}});
  sample(2, 0, {{0, test::kTime + 2900, 1, "first"}, {0, test::kTime + 2900, 1, "second"}});
  sample(0, 0, {});
  return report_of(recording);
}

TEST_CASE("lines of logs stand beside resets, and their text is harmless") {
  const report::Report report = report_with_logs(true);
  const std::string text = output::report_text(report, output::Color::kNever);
  INFO(text);
  const auto has = [&](const std::string& words) { CHECK(text.find(words) != std::string::npos); };
  has(" resets                  xxxxxxxxxxxxxxxxx");
  has(" errors eeee");
  has("avoidable 2 lines in the same second as a reset that a place in the table would\n"
      "          have avoided; the first: +2.9s /var/log/app.log: first\n");
  has("reset     1,101 lines in the same second as other resets; the first: +1.9s\n"
      "          journal of a|b<x>.service: <b>\\x1B[31m|\\x00\\xFF\\x0A=1\n");
  has("neither   1 line without a reset in the same second; the first: +0.9s\n");
  has("text; 2 lines too long");
  has("3.0MiB not read");
  has("Permission denied");
  CHECK(text.find('\x1b') == std::string::npos);
  const std::string html = output::report_html(report);
  CHECK(html.find("&lt;b&gt;") != std::string::npos);
  CHECK(html.find("<b>\\") == std::string::npos);
  CHECK(html.find(">errors</text>") != std::string::npos);
  CHECK(html.find(">resets</text>") != std::string::npos);
  const std::string markdown = output::report_markdown(report);
  CHECK(markdown.find("### Application errors") != std::string::npos);
  CHECK(markdown.find("<b>\\") == std::string::npos);

  const auto errors = nlohmann::json::parse(output::report_json(report)).at("application_errors");
  CHECK(errors["lines"] == 1104);
  CHECK(errors["beside_avoidable_reset"] == 2);
  CHECK(errors["beside_other_reset"] == 1101);
  CHECK(errors["beside_no_reset"] == 1);
  CHECK(errors["first"]["beside_avoidable_reset"]["text"] == "first");
  CHECK(errors["first"]["beside_other_reset"]["kind"] == "journal");
  CHECK(errors["first"]["beside_other_reset"]["text_hex"] == "3c623e1b5b33316d7c00ff0a3d31");
  CHECK(errors["logs"][0]["without_text"] == 1100);
  CHECK(errors["logs"][0]["problem"] == "Permission denied");
  CHECK(errors["logs"][1]["problem"] == nullptr);
  CHECK(errors["timeline"].size() == 4);
  CHECK(errors["timeline"][1]["resets"] == 3);

  const std::string csv = output::report_csv(report);
  CHECK(csv.find(",file,,,,/var/log/app.log,") != std::string::npos);
  CHECK(csv.find(",1103,2,1100,1\n") != std::string::npos);
  CHECK(csv.find(",journal,,,,a|b<x>.service,") != std::string::npos);
  CHECK(csv.find(",1,0,1,0\n") != std::string::npos);
}

TEST_CASE("lines of logs are not compared with resets that cannot be seen") {
  const report::Report report = report_with_logs(false);
  const std::string text = output::report_text(report, output::Color::kNever);
  CHECK(text.find("lines     1,104 lines; resets cannot be seen here") != std::string::npos);
  CHECK(text.find("without a reset") == std::string::npos);
  const auto errors = nlohmann::json::parse(output::report_json(report)).at("application_errors");
  CHECK(errors["beside_no_reset"] == nullptr);
  CHECK(errors["logs"][0]["beside_avoidable_reset"] == nullptr);
  CHECK(errors["timeline"][0]["resets"] == nullptr);
  CHECK(output::report_csv(report).find(",1103,,,\n") != std::string::npos);
  const auto none = nlohmann::json::parse(output::report_json(deploy_report()));
  CHECK(none.at("application_errors") == nullptr);
}

TEST_CASE("a report of several hosts has the application errors of those that followed logs") {
  const report::Hosts hosts = report::combine(
      {{{}, "a.db", report_with_logs(true)}, {{}, "b.db", report_with_logs(false)}, {{}, "c.db", deploy_report()}});
  const std::string text = output::hosts_text(hosts, output::Color::kNever);
  INFO(text);
  const std::string title = "\nAPPLICATION ERRORS, by host\n";
  const std::size_t begin = text.find(title);
  REQUIRE(begin != std::string::npos);
  const std::string section = text.substr(begin + title.size(), text.find("\n\n", begin) - begin - title.size());
  const std::vector<std::string> rows = lines(section);
  REQUIRE(rows.size() == 3);  // a title, and the two hosts
  CHECK(rows[0].ends_with("LINES  BESIDE AVOIDABLE RESETS  OTHER RESETS  NO RESET"));
  CHECK(rows[1].ends_with("1,104                        2         1,101         1"));
  CHECK(rows[2].ends_with("1,104                        -             -         -"));
  CHECK(output::hosts_markdown(hosts).find("### Application errors") != std::string::npos);
  CHECK(output::hosts_html(hosts).find("Application errors</h2>") != std::string::npos);
  const auto json = nlohmann::json::parse(output::hosts_json(hosts));
  for (const auto& host : json.at("hosts")) {
    const auto& errors = host.at("application_errors");
    if (host.at("file") == "c.db") {
      CHECK(errors == nullptr);
    } else {
      CHECK(errors["lines"] == 1104);
      CHECK(errors["beside_avoidable_reset"] == (host.at("file") == "a.db" ? nlohmann::json(2) : nlohmann::json()));
    }
  }
}

TEST_CASE("a column of a short timeline has its length in milliseconds") {
  report::Report report = deploy_report();
  report.end_unix_ms = report.begin_unix_ms + 720;  // 60 columns
  CHECK(output::report_text(report, output::Color::kNever).find("; 12ms a column\n") != std::string::npos);
}

TEST_CASE("a report on a capture during which the clock was set says so, and draws no timeline") {
  report::Report report = deploy_report();
  report.info.gaps = {{model::Gap::Why::kClockSet, test::kTime - 3'000'000, test::kTime, {}}};
  report.end_unix_ms = report.begin_unix_ms - 3'000'000;
  const std::string text = output::report_text(report, output::Color::kNever);
  const std::size_t limits = text.find("\nlimit ");
  CHECK(text.find("\nclock     the clock was set during the capture:") < limits);
  CHECK(text.find("a column") == std::string::npos);
  CHECK(output::report_html(report).find("Timeline of") == std::string::npos);
  CHECK(nlohmann::json::parse(output::report_json(report)).at("capture").at("clock").is_string());
  report.info.gaps.clear();
  CHECK(output::report_text(report, output::Color::kNever).find("a column") == std::string::npos);
}

TEST_CASE("what was refused for want of memory has a line and a column") {
  test::HandMade recording;
  model::Counters counts = test::made(9);
  counts.no_memory = 400;
  recording.act({1, "a", "a.service", model::Role::kServer, 80, counts});
  recording.sample(9);
  const report::Report report = report_of(recording);
  CHECK(output::trouble_lines(report) ==
        std::vector<std::string>{"buckets were refused: the kernel had no memory for them"});
  const output::Grid owners = output::owners_grid(report, 10);
  CHECK(owners.columns.back().title == "NO_MEM");
  CHECK(owners.rows.front().back() == "400");
  const report::Hosts hosts = report::combine({{{}, "a.db", report}});
  const output::Grid grid = output::hosts_grid(hosts);
  REQUIRE(grid.columns.at(7).title == "NO_MEM");
  CHECK(grid.rows.front().at(7) == "400");
  CHECK(output::hosts_grid(report::combine({{{}, "b.db", deploy_report()}})).columns.at(7).title == "BUDGETS");
  test::HandMade calm;
  calm.sample(9);
  const report::Diff diff = report::diff_reports(report_of(calm), report, {});
  CHECK(output::diff_captures_grid(diff).rows.back() == std::vector<std::string>{"no_memory", "0", "400"});
}

TEST_CASE("a chart tells a limit of 0 from one that is not known") {
  const auto chart = [](std::optional<std::uint64_t> limit) {
    test::HandMade recording;
    recording.netns.limit = limit;
    recording.sample(0);
    const report::Report report = report_of(recording);
    return output::report_text(report, output::Color::kNever) + output::report_html(report);
  };
  CHECK(chart(0).find("the limit is 0; ") != std::string::npos);
  CHECK(chart(0).find("an unknown limit") == std::string::npos);
  CHECK(chart({}).find("the limit is not known; ") != std::string::npos);
  CHECK(chart({}).find("an unknown limit") != std::string::npos);
}

TEST_CASE("colour changes nothing but colour") {
  const report::Report report = deploy_report();
  const std::string colored = output::report_text(report, output::Color::kAlways);
  CHECK(colored.find("\x1b[31mFAIL\x1b[0m") != std::string::npos);
  CHECK(std::regex_replace(colored, std::regex("\x1b\\[[0-9]+m"), "") ==
        output::report_text(report, output::Color::kNever));
}

TEST_CASE("names are escaped in HTML and Markdown") {
  const report::Report report = hostile_report();
  const report::Diff diff = report::diff_reports(report_of(*test::deploy()), report_of(*hostile()), {});
  for (const std::string& html : {output::report_html(report), output::diff_html(diff)}) {
    check_harmless(html);
    CHECK(html.find("<script") == std::string::npos);
    CHECK(html.find("&lt;script&gt;") != std::string::npos);
    CHECK(html.find("href") == std::string::npos);
  }
  for (const std::string& markdown : {output::report_markdown(report), output::diff_markdown(diff)}) {
    check_harmless(markdown);
    CHECK(markdown.find("<script") == std::string::npos);
    // The chart is a block of HTML, in which Markdown means nothing.
    const std::string text = std::regex_replace(markdown, std::regex("<pre>[^<]*</pre>"), "");
    CHECK(text.find("](") == std::string::npos);
    CHECK(text.find("://") == std::string::npos);
  }
}

TEST_CASE("rows of Markdown tables have as many cells as their titles") {
  const auto check = [](const report::Report& report, long offenders) {
    for (const std::string& line : lines(output::report_markdown(report))) {
      if (line.empty() || line.front() != '|') continue;
      INFO(line);
      const auto bars = std::count(line.begin(), line.end(), '|');
      CHECK((bars == 5 || bars == offenders || bars == 8));  // before, during, after; offenders; remote ends
    }
  };
  check(hostile_report(), 9);
  check(report_of(*deploy_in_two("a|b")), 10);
}

TEST_CASE("the page forbids scripts and the network, and allows its own style") {
  const std::string html = output::report_html(deploy_report());
  CHECK(html.find("content=\"default-src 'none'; style-src 'sha256-" + sha256_base64(output::kHtmlStyle) + "'") !=
        std::string::npos);
  CHECK(html.find("style=\"") == std::string::npos);
  CHECK(html.find("src=") == std::string::npos);
  CHECK(html.find(" on") == html.find(" on "));
  for (const char* part : {"<title id=\"timeline\">", "role=\"img\"", "limit 5,000", "command starts", "drain"}) {
    INFO(part);
    CHECK(html.find(part) != std::string::npos);
  }
}

TEST_CASE("a page about a capture that lacks its end does not begin with OK") {
  const auto page = [](bool cut, std::uint64_t refused, bool breached) {
    test::HandMade recording;
    recording.act({1, "nginx", "web.service", model::Role::kServer, 8080, test::made(5, 0, refused)});
    recording.sample(5);
    if (cut) recording.editable().ended_unix_ms.reset();
    report::Report report = report_of(recording);
    if (breached) report.verdicts.emplace_back().state = report::Verdict::State::kBreached;
    return output::report_html(report);
  };
  const auto begins = [](const std::string& text, const std::string& style, const std::string& word) {
    return text.find("<p class=\"headline verdict " + style + "\"><b class=\"" + style + "\">" + word + "</b>") !=
           std::string::npos;
  };
  CHECK(begins(page(false, 0, false), "good", "OK"));
  CHECK(begins(page(true, 0, false), "warn", "INCOMPLETE"));
  CHECK(begins(page(true, 1, false), "bad", "TROUBLE"));
  CHECK(begins(page(true, 0, true), "bad", "FAIL"));
}

TEST_CASE("JSON is one line of ASCII with the numbers of the report") {
  const report::Report report = hostile_report();
  const std::string text = output::report_json(report);
  for (const char c : text) CHECK((c >= ' ' && c < 127));
  const auto json = nlohmann::json::parse(text);
  CHECK(json["schema"] == "twtrace.report/1");
  CHECK(json["breached"] == true);
  std::uint64_t created = 0;
  for (const auto& row : json["offenders"]) created += row["created"].get<std::uint64_t>();
  CHECK(created == json["capture"]["totals"]["created"]);
  CHECK(json["capture"]["host"]["name_hex"].is_string());
}

TEST_CASE("how buckets ended is unknown where the backend does not see it") {
  auto recording = test::deploy();
  recording->editable().probe.sees = {};
  const report::Report report = report_of(*recording);
  CHECK(nlohmann::json::parse(output::report_json(report))["phases"][0]["total"]["expired"].is_null());
  CHECK(std::regex_search(output::report_text(report, output::Color::kNever), std::regex("\nexpired +- +- +-\n")));
  CHECK(output::report_csv(report).find(",,,\n") != std::string::npos);
}

TEST_CASE("CSV cells of text are guarded and every line has the same number of cells") {
  auto recording = test::deploy();
  recording->act({7, "=cmd()", "+evil.service", model::Role::kServer, 1, test::made(90)});
  recording->sample(5000);
  const std::string csv = output::report_csv(report_of(*recording));
  CHECK(csv.find(",'+evil.service,'=cmd(),") != std::string::npos);
  for (const std::string& line : lines(csv)) CHECK(std::count(line.begin(), line.end(), ',') == 38);
}

TEST_CASE("CSV says how many buckets were there before the start") {
  report::Report report = report_of(*test::deploy());
  report.owners[1].row.kind = model::RowKind::kBeforeStart;
  report.owners[1].before_start = 61;
  const std::vector<std::string> rows = lines(output::report_csv(report));
  CHECK(rows.at(0).find(",before_start,lines,") != std::string::npos);
  CHECK(rows.at(1).ends_with(",,,,,"));
  CHECK(rows.at(2).ends_with(",61,,,,"));
}

TEST_CASE("who only was hurt is in the table of offenders, with how much") {
  test::HandMade recording;
  model::Counters counts;
  counts.no_port = 7;
  recording.act({1, "worker", "worker.service", model::Role::kClient, 6379, counts});
  counts = {};
  counts.resets_felt = 8;
  recording.act({2, "agent", "agent.service", model::Role::kClient, 6380, counts});
  recording.act({3, "nginx", "web.service", model::Role::kServer, 8080, test::made(5)});
  recording.sample(5);
  const report::Report report = report_of(recording);
  const output::Grid grid = output::owners_grid(report, output::kOwnersShown);
  REQUIRE(grid.columns.size() == 10);
  CHECK(grid.columns[8].title == "FELT");
  CHECK(grid.columns[9].title == "NO_PORT");
  REQUIRE(grid.rows.size() == 4);
  CHECK(grid.rows[0] ==
        std::vector<std::string>{"1", "web.service", "nginx", "server", "8080", "5", "0", "100.0%", "0", "0"});
  CHECK(grid.rows[1] ==
        std::vector<std::string>{"2", "agent.service", "agent", "client", "6380", "0", "0", "0.0%", "8", "0"});
  CHECK(grid.rows[2] ==
        std::vector<std::string>{"3", "worker.service", "worker", "client", "6379", "0", "0", "0.0%", "0", "7"});
  CHECK(grid.rows[3] == std::vector<std::string>{"", "all", "", "", "", "5", "0", "100.0%", "8", "7"});
  CHECK(output::report_text(report, output::Color::kNever).find("FELT NO_PORT\n") != std::string::npos);

  report::Host first{"", "a.db", report};
  report::Host second{"", "b.db", report};
  const output::Grid services = output::services_grid(report::combine({first, second}));
  CHECK(services.columns.back().title == "NO_PORT");
  CHECK(services.rows.back().back() == "7");
}

TEST_CASE("who was hurt most is shown, however many others made more buckets") {
  const auto recording_of = [](std::uint64_t felt, std::uint64_t created) {
    auto recording = std::make_unique<test::HandMade>();
    for (std::uint32_t i = 1; i <= 40; ++i) {
      const std::string name = "svc" + std::to_string(i);
      recording->act({i, name, name + ".service", model::Role::kServer, 8080, test::made(100 + created * i)});
    }
    model::Counters counts;
    counts.resets_received = counts.resets_felt = felt;
    recording->act({41, "agent", "agent.service", model::Role::kClient, 6380, counts});
    recording->sample(5);
    recording->editable().ended_unix_ms = recording->now_unix_ms();
    return recording;
  };
  const report::Report before = report_of(*recording_of(0, 0));
  const report::Report after = report_of(*recording_of(1200, 1));
  const output::Grid owners = output::owners_grid(after, output::kOwnersShown);
  REQUIRE(owners.rows.size() == output::kOwnersShown + 2);
  CHECK(owners.rows[9][0] == "41");
  CHECK(owners.rows[9][1] == "agent.service");
  CHECK(owners.rows[10][1] == "+31 more rows");
  CHECK(owners.rows[10].back() == "0");
  CHECK(owners.rows[11].back() == "1,200");

  const report::Diff diff = report::diff_reports(before, after, {});
  const output::Grid all = output::diff_grid(diff);
  REQUIRE(all.rows.size() == output::kDiffRowsShown + 1);
  CHECK(all.rows[0][1] == "svc40.service");
  CHECK(all.rows[19][1] == "agent.service");
  CHECK(all.rows[20][1] == "+21 more rows");
  const report::Diff some = report::diff_reports(before, after, {}, report::Partial::kFails, 10.0);
  const output::Grid first = output::diff_grid(some);
  CHECK(first.rows[0][1] == "agent.service");
  CHECK(first.rows[1][0] == "same");
  CHECK(first.rows[1][1] == "svc40.service");

  const output::Grid services = output::services_grid(report::combine({{"", "a.db", before}, {"", "b.db", after}}));
  CHECK(std::any_of(services.rows.begin(), services.rows.end(),
                    [](const std::vector<std::string>& row) { return row[0] == "agent.service"; }));
}

TEST_CASE("a table of hosts with long names tells them apart, and says which capture is only a part") {
  const auto host = [](const char* name, bool whole) {
    test::HandMade recording;
    recording.act({1, "nginx", "web.service", model::Role::kServer, 8080, test::made(1'000'000, 0, 500'000)});
    recording.sample(5);
    recording.editable().ended_unix_ms = recording.now_unix_ms();
    if (!whole) recording.editable().ended_unix_ms.reset();
    recording.editable().host.name = name;
    return report::Host{"", std::string(name) + ".db", report_of(recording)};
  };
  const char* const first = "ip-10-20-30-40.eu-central-1.compute.internal";
  const char* const second = "ip-10-20-30-41.eu-central-1.compute.internal";
  const std::string text =
      output::hosts_text(report::combine({host(first, true), host(second, false)}), output::Color::kNever);
  INFO(text);
  CHECK(std::regex_search(text, std::regex("\nHOST +FILE +TIME ")));
  CHECK(std::regex_search(text, std::regex("\n[^ ]*-40[^ ]* +whole ")));
  CHECK(std::regex_search(text, std::regex("\n[^ ]*-41[^ ]* +partial ")));
  CHECK(std::regex_search(text, std::regex("\n +[^ ]*30-40[^ ]* +1,000,000 ")));
  CHECK(std::regex_search(text, std::regex("\n +[^ ]*30-41[^ ]* +1,000,000 ")));
  const std::string whole =
      output::hosts_text(report::combine({host(first, true), host(second, true)}), output::Color::kNever);
  CHECK(std::regex_search(whole, std::regex("\nHOST +TIME ")));
}

TEST_CASE("no number is cut for a name") {
  auto recording = deploy_in_two("a-namespace-with-a-long-name");
  model::Counters counts = test::made(1'234'567, 0, 1'234'567);
  counts.no_port = counts.resets_felt = counts.queue_drops = 12'345;
  recording->act({8, "a-long-name", "a-service-with-a-long-name.service", model::Role::kClient, 6379, counts});
  recording->sample(5);
  const std::string text = output::report_text(report_of(*recording), output::Color::kNever);
  const std::size_t at = text.find("TOP OFFENDERS");
  REQUIRE(at != std::string::npos);
  const std::string table = text.substr(at, text.find("\n\n", at) - at);
  CHECK(table.find("FELT") != std::string::npos);
  CHECK(table.find("Q_DROPS\n") != std::string::npos);
  CHECK(table.find("  12,345  12,345\n") != std::string::npos);
}

TEST_CASE("who created nothing, was refused nothing and was not hurt is no offender") {
  test::HandMade recording;
  model::Counters counts;
  counts.resets_received = 7;
  recording.act({1, "worker", "worker.service", model::Role::kClient, 6379, counts});
  recording.sample(0);
  const auto outputs = [&] {
    const report::Report report = report_of(recording);
    return std::array{output::report_text(report, output::Color::kNever), output::report_markdown(report),
                      output::report_html(report)};
  };
  for (const std::string& text : outputs()) {
    CHECK(text.find("ffenders") == std::string::npos);
    CHECK(text.find("OFFENDERS") == std::string::npos);
  }
  recording.act({2, "nginx", "web.service", model::Role::kServer, 8080, test::made(5)});
  recording.sample(5);
  for (const std::string& text : outputs()) {
    CHECK(text.find("web.service") != std::string::npos);
    CHECK(std::regex_search(text, std::regex("[oO](ffenders|FFENDERS)")));
    CHECK_FALSE(std::regex_search(text, std::regex("\\+\\d+ more rows")));
  }
}

TEST_CASE("the bars of offenders show buckets from before the start, and nobody who has none") {
  auto recording = test::deploy();
  recording->act({7, "curl", "cron.service", model::Role::kClient, 443, {}});
  recording->sample(5000);
  report::Report report = report_of(*recording);
  report.owners[1].row.kind = model::RowKind::kBeforeStart;
  report.owners[1].row.counts = {};
  report.owners[1].before_start = 1234;
  const std::string html = output::report_html(report);
  CHECK(html.find(">1,234 before start</text>") != std::string::npos);
  CHECK(html.find(">buckets from before the start (") != std::string::npos);
  CHECK(html.find(">curl of cron.service") == std::string::npos);
}

TEST_CASE("no name makes a page wider than the screen") {
  const output::Grid grid{{{"", base::Align::kLeft}, {"before"}},
                          {{"host", std::string(64, 'h')}, {"created", "1,234"}}};
  const std::string html = output::html_grid(grid);
  CHECK(html.find("<td align=\"right\">hhh") != std::string::npos);
  CHECK(html.find("<td align=\"right\" class=\"n\">1,234") != std::string::npos);
  const std::string style = output::kHtmlStyle;
  const std::size_t body = style.find("}body{");
  CHECK(style.substr(body, style.find('}', body + 1) - body).find("overflow-wrap:anywhere") != std::string::npos);
}

TEST_CASE("a table that is too wide for a page becomes a list there") {
  const auto html = [](std::size_t service, std::size_t netns, const std::string& count) {
    return output::html_grid({{{"SERVICE", base::Align::kLeft},
                               {"NETNS", base::Align::kLeft},
                               {"CREATED"},
                               {"OVERFLOW"},
                               {"FELT"},
                               {"NO_PORT"}},
                              {{std::string(service, 's'), std::string(netns, 'n'), count, count, count, ""}}});
  };
  CHECK(html(60, 8, "123,456").starts_with("<table cellpadding=\"4\">"));
  CHECK(html(60, 8, "123,456").find("data-t") == std::string::npos);
  const std::string wide = html(255, 8, "123,456,789");
  CHECK(wide.starts_with("<table cellpadding=\"4\" class=\"wide\">"));
  CHECK(wide.find("<td align=\"left\" data-t=\"SERVICE\">sss") != std::string::npos);
  CHECK(wide.find("<td align=\"right\" class=\"n\" data-t=\"NO_PORT\"></td>") != std::string::npos);
  CHECK(html(255, 255, "123,456,789,012").starts_with("<table cellpadding=\"4\" class=\"list\">"));
  for (const char* rule : {"table.list td::before{content:attr(data-t)", "table.wide td::before{content:attr(data-t)"})
    CHECK(std::string(output::kHtmlStyle).find(rule) != std::string::npos);
}

TEST_CASE("what stands beside the bars of the top offenders fits the picture") {
  test::HandMade recording;
  recording.act({1, "redis-server", std::string(255, 'm'), model::Role::kServer, 6379, test::made(98765432109)});
  recording.sample(3);
  recording.editable().ended_unix_ms = recording.now_unix_ms();
  const std::string html = output::report_html(report_of(recording));
  std::smatch name;
  REQUIRE(std::regex_search(html, name, std::regex("<text ([^>]*)>(redis-server of m+[^<]*)</text>")));
  // 0.6 of its size is the width of a letter in fonts whose letters are all as wide.
  CHECK(name[1].str().find("monospace\" font-size=\"13\"") != std::string::npos);
  CHECK(static_cast<double>(name[2].length()) * 0.61 * 13 <= 640);
  std::smatch numbers;
  REQUIRE(std::regex_search(html, numbers, std::regex("<text x=\"([0-9.]+)\"[^>]*>98,765,432,109</text>")));
  CHECK(std::stod(numbers[1]) + 14 * 0.64 * 13 <= 640);
}

TEST_CASE("a table of differences says which rows a threshold leaves out") {
  const auto report_with = [](std::uint64_t many, std::uint64_t few) {
    test::HandMade recording;
    recording.act({1, "nginx", "web.service", model::Role::kServer, 80, test::made(many)});
    if (few != 0) recording.act({2, "cron", "cron.service", model::Role::kClient, 443, test::made(few)});
    recording.sample(3);
    recording.editable().ended_unix_ms = recording.now_unix_ms();
    return report_of(recording);
  };
  const auto text = [&](std::optional<double> threshold) {
    return output::diff_text(
        report::diff_reports(report_with(1000, 0), report_with(1500, 9), {}, report::Partial::kFails, threshold),
        output::Color::kNever);
  };
  CHECK(text({}).find("new  cron.service") != std::string::npos);
  CHECK(text({}).find("same ") == std::string::npos);
  const std::string some = text(10.0);
  CHECK(some.find("differ in 1 of 2 rows by more than 10% (0 new, 0 gone)") != std::string::npos);
  CHECK(some.find("same  cron.service") != std::string::npos);
  CHECK(some.find("same  web") == std::string::npos);
  CHECK(text(1e6).find("by more than 1000000%") != std::string::npos);
}

TEST_CASE("the first line of a difference is per second if the captures differ in length") {
  const auto report_with = [](std::uint64_t created, int seconds) {
    test::HandMade recording;
    recording.act({1, "nginx", "web.service", model::Role::kServer, 80, test::made(created, 0, created / 2)});
    for (int second = 0; second < seconds; ++second) recording.sample(1);
    recording.editable().ended_unix_ms = recording.now_unix_ms();
    return report_of(recording);
  };
  const auto first_line = [&](int seconds) {
    const std::string text = output::diff_text(report::diff_reports(report_with(100, 1), report_with(120, seconds), {}),
                                               output::Color::kNever);
    return std::regex_replace(text.substr(0, text.find(".\n")), std::regex("\n"), " ");
  };
  CHECK(first_line(1).ends_with("created +20, overflow +10"));
  CHECK(first_line(2).ends_with("created -40.0/s, overflow -20.0/s"));
}

TEST_CASE("a difference says who was hurt more or less than before") {
  const auto report_with = [](std::uint64_t agents, std::uint64_t web) {
    test::HandMade recording;
    const auto feel = [&](std::uint32_t slot, const char* comm, std::uint64_t felt) {
      model::Counters counts;
      counts.resets_received = counts.resets_felt = felt;
      recording.act({slot, comm, std::string(comm) + ".service", model::Role::kClient, 6379, counts});
    };
    feel(1, "web", web);
    feel(2, "agents", agents);
    recording.sample(3);
    recording.editable().ended_unix_ms = recording.now_unix_ms();
    return report_of(recording);
  };
  const std::string text =
      output::diff_text(report::diff_reports(report_with(1200, 7), report_with(30, 9), {}), output::Color::kNever);
  CHECK(text.find("resets felt -1,168.") != std::string::npos);
  CHECK(std::regex_search(text, std::regex("\nresets felt +1,207 +39\n")));
  CHECK(std::regex_search(text, std::regex("OVERFLOW +FELT\n +agents.service .* 0 +-1,170\n +web.service .* \\+2\n")));
  CHECK(text.find("NO_PORT") == std::string::npos);
  const std::string calm =
      output::diff_text(report::diff_reports(report_with(0, 0), report_with(0, 0), {}), output::Color::kNever);
  CHECK(calm.find("FELT") == std::string::npos);
  CHECK(calm.find("felt") == std::string::npos);
}

TEST_CASE("a capture without a sample, or without a command, can be printed") {
  test::HandMade empty;
  const report::Report nothing = report_of(empty, {"overflow>0"});
  test::HandMade quiet;
  quiet.act({1, "nginx", "web.service", model::Role::kServer, 80, test::made(3)});
  quiet.sample(3);
  quiet.editable().ended_unix_ms = quiet.now_unix_ms();
  const report::Report little = report_of(quiet, {"overflow>0"});
  for (const report::Report& report : {nothing, little}) {
    for (const std::string& text : {output::report_text(report, output::Color::kNever), output::report_markdown(report),
                                    output::report_html(report), output::report_csv(report)}) {
      check_harmless(text);
      CHECK(!text.empty());
    }
    CHECK(nlohmann::json::accept(output::report_json(report)));
  }
  const std::string text = output::report_text(nothing, output::Color::kNever);
  CHECK(text.find("nothing can be said") != std::string::npos);
  CHECK(text.find("complete  no") != std::string::npos);
  CHECK(output::report_text(little, output::Color::kNever).find("the limit of 5,000 is above") != std::string::npos);
}

TEST_CASE("absurd numbers print as numbers in every format") {
  const auto counts = GENERATE(std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 45U);
  const auto limit = GENERATE(std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32U);
  const auto interval_s = GENERATE(0.0, 1e-9, 1e9);
  test::HandMade recording;
  recording.netns.limit = limit;
  recording.netns.missed = {counts, counts};
  recording.act({1, "a", "a.service", model::Role::kServer, 80, test::made(counts, counts, counts)});
  for (const std::uint64_t in_use : {std::uint64_t{0}, std::uint64_t{1} << 32U}) recording.sample(in_use, interval_s);
  const report::Report made = report_of(recording, {"in_use_peak>80%", "created_ratio>3", "created_per_s_peak>1"});
  INFO(counts << " counted, limit " << limit << ", intervals of " << interval_s << " s");
  const std::regex no_number("[^a-z](nan|inf)[^a-z]");
  for (const std::string& text : {output::report_text(made, output::Color::kNever), output::report_json(made),
                                  output::report_csv(made), output::report_markdown(made), output::report_html(made),
                                  output::diff_text(report::diff_reports(made, made, {}), output::Color::kNever),
                                  output::diff_json(report::diff_reports(made, made, {}))}) {
    CHECK_FALSE(std::regex_search(text, no_number));
  }
}

TEST_CASE("a long word is broken in time that grows with its length") {
  const std::string text = output::wrapped(std::string(std::size_t{1} << 22U, 'x'), 10, 10, true);
  CHECK(std::count(text.begin(), text.end(), 'x') == 1 << 22);
  const auto full_lines = static_cast<std::ptrdiff_t>((1U << 22U) / (output::kTextColumns - 10));
  CHECK(std::count(text.begin(), text.end(), '\n') == full_lines + 1);
}

TEST_CASE("of many marks a report lists the first, and says how many more there are") {
  auto recording = test::deploy();
  recording->editable().marks.clear();
  for (int i = 1; i <= 1234; ++i) {
    recording->editable().marks.push_back({test::kTime + i, "m" + std::to_string(i) + "."});
  }
  const report::Report report = report_of(*recording);
  for (const std::string& text :
       {output::report_text(report, output::Color::kNever), output::report_markdown(report)}) {
    CHECK(text.find("m20.") != std::string::npos);
    CHECK(text.find("m27.") == std::string::npos);  // the legend of the graph has 26 letters
    CHECK(text.find("and 1,214 more") != std::string::npos);
  }
}

TEST_CASE("a table that is too wide does without what can be spared, and cuts no number") {
  output::Grid grid;
  grid.columns = {
      {"SERVICE", base::Align::kLeft}, {"SPARE 1", base::Align::kRight, 1}, {"SPARE 2", base::Align::kRight, 2}};
  grid.rows = {{"scheduler.service", "1", "2"}};
  CHECK(output::text_grid(grid).starts_with("SERVICE            SPARE 1  SPARE 2\n"));
  for (int i = 0; i < 6; ++i) {
    grid.columns.push_back({"NUMBER"});
    grid.rows[0].emplace_back("123,456,7");
  }
  grid.rows[0].back() = "the last";
  const std::string table = output::text_grid(grid);
  INFO(table);
  CHECK(table.find("SPARE 1") == std::string::npos);
  CHECK(table.find("SPARE 2") != std::string::npos);
  CHECK(table.ends_with(" the last\n"));
  CHECK(grid.columns.size() == 9);
}

TEST_CASE("a table that is too wide has large counts in short, and cuts none") {
  output::Grid grid;
  grid.columns = {{"SERVICE", base::Align::kLeft}};
  grid.rows = {{"scheduler.service"}, {"all"}};
  for (int i = 0; i < 5; ++i) {
    grid.columns.push_back({"NUMBER"});
    grid.rows[0].emplace_back(i == 0 ? "-18,446,744,073,709,551,615" : "46,500,000");
    grid.rows[1].emplace_back("1,234");
  }
  CHECK(output::text_grid(grid) ==
        "SERVICE            NUMBER      NUMBER      NUMBER      NUMBER      NUMBER\n"
        "scheduler.service  -18.4E  46,500,000  46,500,000  46,500,000  46,500,000\n"
        "all                 1,234       1,234       1,234       1,234       1,234\n");
  for (int i = 0; i < 5; ++i) {
    grid.columns.push_back({"MORE"});
    grid.rows[0].emplace_back("99,999,999");
    grid.rows[1].emplace_back("-");
  }
  const std::string table = output::text_grid(grid);
  INFO(table);
  CHECK(table.find("46.5M") != std::string::npos);
  CHECK(table.find("99.9M") != std::string::npos);
  CHECK(table.find(",4") == std::string::npos);
  CHECK(std::count(table.begin(), table.end(), '~') == 1);  // the name

  grid.columns.push_back({"PID"});
  grid.rows[0].emplace_back("4194303");
  grid.rows[1].emplace_back("65536");
  CHECK(output::text_grid(grid).find(" 4194303\n") != std::string::npos);
}
