// SPDX-License-Identifier: Apache-2.0
// Captures that follow the logs of applications.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/unique_fd.hpp"
#include "bpf/capturing.hpp"
#include "cli/cli.hpp"
#include "logs/followed_journal.hpp"
#include "support/catch.hpp"
#include "trace/least_privilege.hpp"

using namespace twtrace;
using namespace twtrace::test;

namespace {

nlohmann::json application_errors(const std::string& path) {
  const Outcome outcome = run_twtrace({"report", path, "-o", "json"});
  REQUIRE(outcome.code == 0);
  return nlohmann::json::parse(outcome.out).at("application_errors");
}

/// Every line in a capture, with its text.
std::vector<model::LogLine> all_lines(capture::Reader& reader) {
  std::vector<model::LogLine> all;
  REQUIRE(reader.for_each(model::Wanted::kHeads, [&](const model::SnapshotPtr& head, const model::Source&) {
    if (head->log_lines) all.insert(all.end(), head->log_lines->begin(), head->log_lines->end());
    return true;
  }));
  return all;
}

/// A directory whose logs only root may read.
struct Logs {
  Logs() {
    tree.file("app.log", "before: connection refused\n");
    ::chmod(tree.root().c_str(), 0700);
    ::chmod((tree / "app.log").c_str(), 0600);
  }
  kernel::TempTree tree;
};

}  // namespace

TEST_CASE("a capture counts the lines of a log that match, across rotation", "[capture]") {
  if (!privileged()) return;
  const Logs logs;
  const std::string app = logs.tree / "app.log";
  // What is written has to be read before it is cut off.
  const std::string script = "exec >>" + app + R"(
for i in 1 2 3; do echo "$i Connection reset by peer"; echo "$i all is well"; done
mv )" + app + " " + app + R"(.1; umask 077
for i in 4 5; do echo "$i broken pipe"; done
exec >>)" + app + R"(
for i in 6 7 8 9 10; do echo "$i timed out"; done
until $0 report -o json "$TWTRACE_CAPTURE" | grep -q '"application_errors":{"lines":10,'; do sleep 0.1; done
cp )" + app + " " + app + ".2; : >" +
                             app + R"(
for i in 11 12 13 14 15 16 17; do echo "$i refused"; done; printf 'no end: cannot assign'
printf 'x=1\nX=2\nx=\n' >)" + (logs.tree / "later.log").string();
  Capturing capturing({"--log", app, "--log", logs.tree / "later.log=x=[0-9]", "--log", logs.tree / "never.log"},
                      {"bash", "-c", script, twtrace_binary()});
  CHECK(capturing.process().wait() == 0);
  INFO(capturing.process().standard_error());
  const auto errors = application_errors(capturing.path());
  CHECK(errors["lines"] == 3 + 2 + 5 + 7 + 1 + 2);
  REQUIRE(errors["logs"].size() == 3);
  CHECK(errors["logs"][0]["lines"] == 18);
  CHECK(errors["logs"][0]["problem"] == nullptr);
  CHECK(errors["logs"][1]["pattern"] == "x=[0-9]");
  CHECK(errors["logs"][1]["lines"] == 2);
  CHECK(errors["logs"][2]["lines"] == 0);
  CHECK(errors["logs"][2]["problem"] == "it did not appear during the capture");
  CHECK(capturing.process().standard_error().find("never.log: it did not appear during the capture\n") !=
        std::string::npos);

  std::uint64_t replayed = 0;
  for (const std::string& sample : lines(run_twtrace({"replay", "-b", "--json", capturing.path()}).out)) {
    const nlohmann::json parsed = nlohmann::json::parse(sample);
    for (const nlohmann::json& line : parsed.at("log_lines")) {
      CHECK(!line.at("text").is_null());
      replayed += line.at("lines").get<std::uint64_t>();
    }
  }
  CHECK(replayed == 20);
  CHECK(run_twtrace({"replay", "-b", capturing.path()}).out.find(app + ": 1 Connection reset") != std::string::npos);

  const auto info = capturing.read()->info();
  REQUIRE(info.logs.size() == 3);
  CHECK(info.logs[0].name == app);
  const auto lines = all_lines(*capturing.read());
  REQUIRE(lines.size() == 20);
  REQUIRE(info.command);
  for (const model::LogLine& line : lines) {
    CHECK(line.text);
    CHECK(line.time_unix_ms >= info.command->started_unix_ms);
  }
}

TEST_CASE("what a capture cannot follow is a mistake of the command line, before anything else", "[capture]") {
  const kernel::TempTree tree;
  tree.file("app.log", "");
  tree.file("a=b.log", "");
  std::filesystem::create_symlink(tree / "app.log", tree / "link.log");
  REQUIRE(::mkfifo((tree / "fifo").c_str(), 0600) == 0);
  const std::string app = tree / "app.log";
  const auto refused = [&](Arguments options, const std::string& why) {
    Arguments all = {"capture", "-o", tree / "x.db", "--before", "0", "--after", "0"};
    all.insert(all.end(), options.begin(), options.end());
    all.insert(all.end(), {"--", "touch", tree / "ran"});
    check_refused(run_twtrace(all), 2, why);
  };
  refused({"--log", tree / "fifo"}, "is a FIFO");
  refused({"--log", tree.root()}, "is a directory");
  refused({"--log", "/dev/null"}, "is a device");
  refused({"--log", "/proc/self/status"}, "is a file of the kernel");
  refused({"--log", "/proc/net/tcp=x"}, "is a file of the kernel");
  const base::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{AF_UNIX, {}};
  const std::string socket_path = tree / "socket";
  REQUIRE(socket_path.copy(address.sun_path, sizeof(address.sun_path) - 1) == socket_path.size());
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  refused({"--log", socket_path}, "is a socket");
  std::filesystem::create_symlink(tree.root(), tree / "folder");
  for (const char* own : {"x.db", "x.db=refused", "x.db-wal", "folder/x.db.new", "./folder/x.db.new-wal"}) {
    refused({"--log", (tree / own).string()}, "is written by this capture itself");
  }
  refused({"--log", app + "/x"}, "Not a directory");
  refused({"--log", app + "=(a"}, "Unmatched");
  refused({"--log", app + "="}, "no pattern follows");
  refused({"--log", "=refused"}, "no name");
  refused({"--log", (tree / "a=b.log").string() + "=(a*)\\1"}, "back-references");
  refused({"--log", app, "--log", (tree / "link.log").string() + "=x"}, "twice");
  refused({"--journal", "web.service", "--journal", "web.service=x"}, "twice");
  Arguments many;
  for (int i = 0; i < 17; ++i) many.insert(many.end(), {"--log", tree / std::to_string(i)});
  refused(many, "17 logs are too many");
  CHECK_FALSE(std::filesystem::exists(tree / "x.db"));
  CHECK_FALSE(std::filesystem::exists(tree / "ran"));
}

// A journalctl of our own, because a journal needs a running journald: it says how it was called and as whom, and goes
// on until somebody ends it.
TEST_CASE("a capture follows the journal of a unit, by way of a journalctl without privileges", "[capture]") {
  if (!privileged()) return;
  const kernel::TempTree own;
  const kernel::TempTree tree;  // in which nobody can write, too
  std::filesystem::permissions(tree.root(), std::filesystem::perms(0777));
  tree.file("bin/journalctl", R"sh(#!/bin/bash
say() { printf '__REALTIME_TIMESTAMP=%s\nMESSAGE=refused %s\n\n' "$(date +%s%6N)" "$1"; }
say "$*"
grep -E '^(Uid|CapEff|CapPrm|NoNewPrivs|SigBlk|SigIgn)' /proc/self/status | while read -r line; do say "$line"; done
ls /proc/self/fd | while read -r fd; do say "fd $fd"; done
say "pid $$"
touch )sh" + (tree / "said").string() +
                                  "\nexec sleep 1000\n");
  std::filesystem::permissions(tree / "bin/journalctl", std::filesystem::perms(0755));
  const std::string path = own / "t.db";
  const Outcome outcome =
      run_program({"env", "PATH=" + (tree / "bin").string() + ":/usr/bin:/bin", twtrace_binary(), "capture", "-o", path,
                   "-d", "0.2", "--before", "0", "--after", "0", "--journal", "web.service", "--", "sh", "-c",
                   "until [ -e " + (tree / "said").string() + " ]; do sleep 0.05; done"});
  INFO(describe(outcome));
  REQUIRE(outcome.code == 0);
  const auto reader = capture::Reader::open(path);
  REQUIRE(reader);
  std::string said;
  for (const model::LogLine& line : all_lines(**reader)) said += line.text.value_or("") + "\n";
  INFO(said);
  CHECK(said.starts_with(
      "refused --follow --no-tail --no-pager --quiet --output=export --output-fields=MESSAGE --since=@"));
  CHECK(said.find(" _SYSTEMD_UNIT=web.service\n") != std::string::npos);
  CHECK(said.find("Uid:\t" + std::to_string(trace::nobody().uid)) != std::string::npos);
  CHECK(said.find("CapPrm:\t0000000000000000\n") != std::string::npos);
  CHECK(said.find("CapEff:\t0000000000000000\n") != std::string::npos);
  CHECK(said.find("NoNewPrivs:\t1\n") != std::string::npos);
  CHECK(said.find("SigBlk:\t0000000000000000\n") != std::string::npos);
  CHECK(said.find("SigIgn:\t0000000000000000\n") != std::string::npos);
  CHECK(said.find("fd 4") == std::string::npos);  // 3 is the directory that ls reads
  const std::size_t pid = said.find("refused pid ");
  REQUIRE(pid != std::string::npos);
  const std::string process = "/proc/" + std::to_string(std::stoi(said.substr(pid + 12)));
  CHECK(wait_until([&] { return !std::filesystem::exists(process); }));
}

TEST_CASE("without journalctl, --journal is a mistake of the command line", "[capture]") {
  const kernel::TempTree tree;
  const Outcome outcome = run_program({"env", "PATH=" + tree.root().string(), twtrace_binary(), "capture", "-o",
                                       tree / "x.db", "--journal", "web.service", "--duration", "1"});
  check_refused(outcome, 2, "journalctl");
}

TEST_CASE("a capture says when there is no journal, instead of telling of none of its lines", "[capture]") {
  if (!privileged()) return;
  const kernel::TempTree tree;
  tree.file("bin/journalctl", "#!/bin/sh\nexec sleep 1000\n");
  std::filesystem::permissions(tree.root(), std::filesystem::perms(0755));
  std::filesystem::permissions(tree / "bin/journalctl", std::filesystem::perms(0755));
  const Outcome outcome =
      run_program({"env", "PATH=" + (tree / "bin").string() + ":/usr/bin:/bin", twtrace_binary(), "capture", "-o",
                   tree / "t.db", "-d", "0.2", "--duration", "0.4", "--journal", "web.service"});
  INFO(describe(outcome));
  CHECK(outcome.code == 0);
  const bool told = outcome.err.find("web.service: this user cannot read any journal") != std::string::npos;
  CHECK(told != logs::finds_journal());
  const auto errors = application_errors(tree / "t.db");
  CHECK(errors["logs"][0]["problem"].is_null() != told);
}
