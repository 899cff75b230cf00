// SPDX-License-Identifier: Apache-2.0
// report and diff as a user runs them. The tests that need a capture make one, as root.
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "cli/cli.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"

using namespace twtrace::test;

namespace {

/// A directory for one test. The destructor removes it.
class Directory {
 public:
  Directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "twtrace-report-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() { std::filesystem::remove_all(path_); }

  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST_CASE("report and diff: bad usage is refused before any file is read") {
  const std::pair<Arguments, std::string> inputs[] = {
      {{"report", "--fail-if", "overflo>0"}, "unknown metric"},
      {{"report", "--fail-if", "overflow>"}, "character 10"},
      {{"report", "--fail-if", ""}, "--fail-if: the value is empty"},
      {{"report", "--fail-if", "created{pid=1}>0"}, "unknown label"},
      {{"report", "--fail-if", "lost_events>1%"}, "percentage"},
      {{"report", "-o", "table"}, "\"table\""},
      {{"report", "--bogus"}, "--bogus"},
      {{"report", "--color", "foo"}, "\"foo\""},
      {{"diff", "a"}, "two captures"},
      {{"diff", "a", "b", "c"}, "c"},
      {{"diff", "-o", "wide"}, "\"wide\""},
      {{"diff", "--threshold", "-1"}, "\"-1\""},
      {{"diff", "--threshold", "x%"}, "\"x%\""},
      {{"diff", "--fail-if", "nope>0"}, "unknown metric"},
      {{"capture", "--fail-if", "overflo>0"}, "unknown metric"},
  };
  for (const auto& [arguments, what] : inputs) {
    INFO(arguments[0] << ' ' << arguments.back());
    check_refused(run_twtrace(arguments), 2, what);
  }
  Arguments many{"report"};
  for (int i = 0; i <= 100; ++i) many.insert(many.end(), {"--fail-if", "created>" + std::to_string(i)});
  check_refused(run_twtrace(many), 2, "more than 100 budgets");
}

TEST_CASE("report and diff: a file that is missing or no capture is named") {
  const Directory directory;
  std::ofstream(directory.file("text.db")) << "this is no capture";
  std::ofstream(directory.file("empty.db"));
  for (const char* name : {"missing.db", "text.db", "empty.db"}) {
    INFO(name);
    const std::string error = run_twtrace({"report", directory.file(name)}).err;
    CHECK(error.find(name) == error.rfind(name));
    check_refused(run_twtrace({"report", directory.file(name)}), 1, name);
    check_refused(run_twtrace({"diff", directory.file(name), directory.file("text.db")}), 1, name);
  }
}

TEST_CASE("of a repeated option the last one counts, budgets add up") {
  if (!privileged()) return;
  const Directory directory;
  const std::string db = directory.file("a.db");
  REQUIRE(run_twtrace({"capture", "-o", directory.file("no.db"), "-o", db, "--duration", "60", "--duration", "0.5",
                       "-d", "9", "-d", "0.1"})
              .code == 0);
  CHECK_FALSE(std::filesystem::exists(directory.file("no.db")));
  const Outcome replayed = run_twtrace(
      {"replay", "-b", "-o", "csv", "-o", "json", "-g", "peer", "--group", "port", "-n", "3", "-n", "2", db});
  INFO(describe(replayed));
  REQUIRE(lines(replayed.out).size() == 2);
  CHECK(nlohmann::json::parse(lines(replayed.out)[0])["group"] == "port");
  CHECK(run_twtrace({"report", "--fail-if", "created>=0", "--fail-if", "created<0", db}).code == 99);
  const auto told = [](const Arguments& arguments) { return run_twtrace(arguments).err.size(); };
  CHECK(told({"-v", "-v", "-b", "-n", "1", "-d", "0.05"}) > 10 * told({"-v", "-b", "-n", "1", "-d", "0.05"}));
}

TEST_CASE("report and diff of a capture: formats and exit codes") {
  if (!privileged()) return;
  const Directory directory;
  const std::string db = directory.file("a.db");
  REQUIRE(run_twtrace({"capture", "-o", db, "--duration", "0.5", "-d", "0.1"}).code == 0);

  for (const char* format : {"text", "markdown", "json", "csv", "html"}) {
    const Outcome outcome = run_twtrace({"report", "-o", format, db});
    INFO(format << ": " << describe(outcome));
    CHECK(outcome.code == 0);
    CHECK(outcome.err.empty());
    CHECK(!outcome.out.empty());
    CHECK(run_twtrace({"diff", "-o", format, db, db}).code == 0);
  }
  const auto json = nlohmann::json::parse(run_twtrace({"report", "--json", db}).out);
  CHECK(json["schema"] == "twtrace.report/1");
  CHECK(json["capture"]["complete"] == true);

  CHECK(run_twtrace({"report", "--fail-if", "created>=0", db}).code == 99);
  CHECK(run_twtrace({"report", "--fail-if", "created<0", db}).code == 0);
  CHECK(run_twtrace({"report", "--fail-if", "created_ratio>3", db}).code == 99);  // not measurable
  // An exporter of this host may have closed a connection, but not of port 1. What is nobody's may be any other.
  CHECK(run_twtrace({"report", "--fail-if", "created{comm=twtrace,port=1}>1000000", db}).code == 0);
  const Outcome misspelled = run_twtrace({"report", "--fail-if", "created{comm=twtarce}>0", db});
  INFO(describe(misspelled));
  CHECK(misspelled.code == 99);
  CHECK(misspelled.out.find("not measurable: no row matches, and no process of") != std::string::npos);
  const std::string other = directory.file("other.db");
  std::filesystem::copy_file(db, other);
  const auto hosts = nlohmann::json::parse(run_twtrace({"report", "--json", db, other}).out);
  CHECK(hosts["schema"] == "twtrace.hosts/1");
  CHECK(hosts["hosts"].size() == 2);
  CHECK(hosts["headline"].get<std::string>().starts_with(other + " is a copy of " + db));
  CHECK(hosts["hosts"][1]["copy_of"] == db);
  CHECK(run_twtrace({"report", "--fail-if", "created>=0", db, other}).code == 99);
  check_refused(run_twtrace({"report", db, db}), 2, "given twice");
  const std::string link = directory.file("link.db");
  std::filesystem::create_symlink(db, link);
  check_refused(run_twtrace({"report", db, other, link}), 2, "given twice: " + link);
  const std::string missing = directory.file("missing.db");
  const Outcome without = run_twtrace({"report", "--json", db, missing});
  INFO(describe(without));
  CHECK(without.code == 1);
  CHECK(without.err.find("missing.db: No such file") != std::string::npos);
  const auto left = nlohmann::json::parse(without.out);
  CHECK(left["hosts"].size() == 1);
  CHECK(left["left_out"][0]["file"] == missing);
  CHECK(left["left_out"][0]["reason"] == "not_read");
  CHECK(run_twtrace({"report", "--fail-if", "created<0", missing, db}).code == 99);
  check_refused(run_twtrace({"report", missing, missing + "2"}), 1, "missing.db");
  check_refused(run_twtrace({"report", "--netns", "nowhere", db, other}), 2, "no network namespace");
  check_refused(run_twtrace({"report", "--netns", "nowhere", db, missing}), 1, "missing.db");
  CHECK(run_twtrace({"diff", "--threshold", "10%", db, db}).code == 0);
  CHECK(run_twtrace({"diff", "--fail-if", "created>=0", db, db}).code == 99);
  CHECK(run_twtrace({"capture", "-o", directory.file("b.db"), "--duration", "0.3", "--fail-if", "created>=0"}).code ==
        99);
  CHECK(run_twtrace({"report", directory.file("b.db")}).code == 99);  // it keeps its budgets
  // A reader that stops reading does not change the verdict.
  CHECK(run_unread({"report", db}).code == 0);
  const Outcome unread = run_unread({"report", "--fail-if", "created>=0", db});
  INFO(describe(unread));
  CHECK(unread.code == 99);
  CHECK(unread.err.empty());
  CHECK(run_unread({"diff", "--fail-if", "created>=0", db, db}).code == 99);
  CHECK(run_unread({"replay", "-b", db}).code == 0);
  CHECK(run_unread({"capture", "-o", directory.file("c.db"), "--duration", "0.3", "--fail-if", "created>=0"}).code ==
        99);
  CHECK(run_shell("\"$0\" report '" + db + "' >&-").code == 1);
}
