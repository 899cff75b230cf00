// SPDX-License-Identifier: Apache-2.0
// The command of a capture. It runs as if it had been started without twtrace, and twtrace passes its exit code on.
#include <pwd.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <sstream>

#include "bpf/capturing.hpp"
#include "cli/cli.hpp"
#include "support/catch.hpp"

using namespace twtrace;
using namespace twtrace::test;

namespace {

/// Prints what a process can see of how it was started. The shell reads it itself, because a fork would change its
/// signals.
const std::string kSelf =
    "while read -r name value; do case $name in SigBlk:|SigIgn:|SigCgt:|NoNewPrivs:|CapEff:|Groups:) "
    "echo $name $value;; esac; done </proc/$$/status; for fd in /proc/$$/fd/*; do echo fd ${fd##*/}; done; "
    "ulimit -a; umask; pwd; "
    "env | grep -v -E '^(TWTRACE_CAPTURE|_)='";

}  // namespace

TEST_CASE("the command's exit code is passed on", "[capture]") {
  if (!privileged()) return;
  struct Case {
    std::vector<std::string> options;
    std::string script;
    int code;
  };
  const std::vector<Case> cases = {
      {{}, "exit 0", 0},
      {{}, "exit 7", 7},
      {{}, "kill -9 $$", 128 + SIGKILL},
      {{}, "kill -TERM $$", 128 + SIGTERM},
      {{"--fail-if", "created<0"}, "exit 0", 0},
      {{"--fail-if", "created>=0"}, "exit 0", 99},
      {{"--fail-if", "created>=0"}, "exit 3", 3},  // the command's own code wins
  };
  for (const Case& one : cases) {
    Capturing capturing(one.options, {"sh", "-c", one.script});
    INFO(one.script);
    CHECK(capturing.process().wait() == one.code);
    const auto reader = capturing.read();
    REQUIRE(reader->info().command);
    CHECK(reader->info().command->argv == std::vector<std::string>{"sh", "-c", one.script});
    CHECK(reader->info().ended_unix_ms);
    const bool breached = one.options.size() == 2 && one.options[1] == "created>=0";
    CHECK(run_twtrace({"report", capturing.path()}).code == (breached ? 99 : 0));  // the file keeps the budgets
  }
}

TEST_CASE("the command sees what it would see without twtrace", "[capture]") {
  if (!privileged()) return;
  Capturing capturing({}, {"bash", "-c", kSelf});
  REQUIRE(capturing.process().wait() == 0);
  Subprocess alone({"bash", "-c", kSelf});
  REQUIRE(alone.wait() == 0);
  CHECK(capturing.process().standard_output() == alone.standard_output());
}

TEST_CASE("the command is in the process group of twtrace, as its child", "[capture]") {
  if (!privileged()) return;
  Capturing capturing({}, {"bash", "-c", "read -r -a stat </proc/$$/stat; echo ${stat[3]} ${stat[4]}"});
  REQUIRE(capturing.process().wait() == 0);
  CHECK(capturing.process().standard_output() ==
        std::to_string(capturing.process().pid()) + " " + std::to_string(::getpgrp()) + "\n");
}

TEST_CASE("the command learns where the capture is, and gets arguments as they are", "[capture]") {
  if (!privileged()) return;
  Capturing capturing({}, {"sh", "-c", "echo \"$TWTRACE_CAPTURE\"; for a; do echo \"<$a>\"; done", "sh", "--", "-o", "",
                           "[a,b]", "--before", "x y"});
  REQUIRE(capturing.process().wait() == 0);
  CHECK(capturing.process().standard_output() == capturing.path() + "\n<-->\n<-o>\n<>\n<[a,b]>\n<--before>\n<x y>\n");
}

TEST_CASE("signals are passed on, and the command decides", "[capture]") {
  if (!privileged()) return;
  const int signal = GENERATE(SIGTERM, SIGINT, SIGHUP);
  Capturing capturing({}, {"sh", "-c", "trap 'exit 9' TERM INT HUP; echo begun; while :; do sleep 0.05; done"});
  REQUIRE(capturing.process().wait_for_output("begun"));
  capturing.process().signal(signal);
  CHECK(capturing.process().wait() == 9);
  CHECK(capturing.read()->info().ended_unix_ms);
}

// Each of these ends a process that does not handle it.
TEST_CASE("signals that do not ask for the end are passed on, too, and do nothing to the capture", "[capture]") {
  if (!privileged()) return;
  Capturing capturing({}, {"bash", "-c",
                           "trap 'echo got usr1' USR1; trap 'echo got usr2' USR2; trap 'echo got quit' QUIT; "
                           "trap 'echo got winch' WINCH; trap 'echo got alrm' ALRM; trap 'echo got cont' CONT; "
                           "trap 'echo got rt' RTMIN+3; trap 'exit 9' TERM; echo begun; while :; do sleep 0.05; done"});
  REQUIRE(capturing.process().wait_for_output("begun"));
  const std::vector<std::pair<int, std::string>> signals = {
      {SIGUSR1, "usr1"}, {SIGUSR2, "usr2"}, {SIGQUIT, "quit"},        {SIGWINCH, "winch"},
      {SIGALRM, "alrm"}, {SIGCONT, "cont"}, {SIGRTMIN + 3, "got rt"},
  };
  for (const auto& [number, said] : signals) {
    INFO(said);
    capturing.process().signal(number);
    CHECK(capturing.process().wait_for_output(said + "\n"));
  }
  capturing.process().signal(SIGTERM);
  CHECK(capturing.process().wait() == 9);
  CHECK(capturing.read()->info().ended_unix_ms);
}

TEST_CASE("a capture without a running command is not killed by them", "[capture]") {
  if (!privileged()) return;
  const bool around = GENERATE(false, true);
  const std::vector<std::string> command =
      around ? std::vector<std::string>{"sh", "-c", "exit 3"} : std::vector<std::string>{};
  Capturing capturing(around ? std::vector<std::string>{"--after", "3600"} : std::vector<std::string>{}, command);
  REQUIRE(capturing.process().wait_for_error(around ? "recording for another 3600 s" : "ready\n"));
  for (const int number : {SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, SIGCONT, SIGRTMIN}) capturing.process().signal(number);
  CHECK_FALSE(capturing.process().wait(milliseconds(300)));
  capturing.process().signal(SIGQUIT);
  CHECK(capturing.process().wait() == (around ? 3 : 0));
  CHECK(capturing.read()->info().ended_unix_ms);
}

TEST_CASE("a command gets the dispositions that twtrace was started with", "[capture]") {
  if (!privileged()) return;
  const kernel::TempTree tree;
  const std::string self = "grep -E '^Sig(Blk|Ign|Cgt)' /proc/$$/status";
  const std::string before = "trap '' INT QUIT USR1; ";
  const Outcome alone = run_program({"bash", "-c",
                                     before + "exec bash -c \""
                                              "$0"
                                              "\"",
                                     self});
  const Outcome captured =
      run_program({"bash", "-c", before + "exec \"$0\" capture -o \"$1\" -d 0.1 --before 0 --after 0 -- bash -c \"$2\"",
                   twtrace_binary(), tree / "x.db", self});
  INFO(describe(captured));
  CHECK(captured.code == 0);
  CHECK(captured.out == alone.out);
}

TEST_CASE("a signal ends the window after the command", "[capture]") {
  if (!privileged()) return;
  Capturing capturing({"--after", "3600"}, {"sh", "-c", "exit 5"});
  REQUIRE(capturing.process().wait_for_error("recording for another 3600 s"));
  capturing.process().signal(SIGTERM);
  CHECK(capturing.process().wait() == 5);
  CHECK(capturing.read()->info().ended_unix_ms);
}

TEST_CASE("after two signals nothing is waited for behind the command", "[capture]") {
  if (!privileged()) return;
  Capturing capturing(
      {"--after", "3600"},
      {"sh", "-c", "trap 'n=x$n; echo got$n' TERM; echo begun; while [ \"$n\" != xx ]; do sleep 0.05; done"});
  REQUIRE(capturing.process().wait_for_output("begun"));
  capturing.process().signal(SIGTERM);
  REQUIRE(capturing.process().wait_for_output("gotx\n"));
  capturing.process().signal(SIGTERM);
  CHECK(capturing.process().wait() == 0);
}

TEST_CASE("a signal before the command keeps it from being run", "[capture]") {
  if (!privileged()) return;
  Capturing capturing({"--before", "3600"}, {"sh", "-c", "echo ran"});
  REQUIRE(capturing.process().wait_for_error("ready\n"));
  capturing.process().signal(SIGINT);
  CHECK(capturing.process().wait() == 125);
  CHECK(capturing.process().standard_output().empty());
  CHECK(capturing.process().standard_error().find("was not run") != std::string::npos);
  REQUIRE(capturing.read()->info().command);
  CHECK_FALSE(capturing.read()->info().command->started_unix_ms);
}

TEST_CASE("a grandchild that outlives the command is left alone", "[capture]") {
  if (!privileged()) return;
  Capturing capturing({}, {"sh", "-c", "(sleep 1.5; touch \"${TWTRACE_CAPTURE%/*}/grandchild\") >&- 2>&- & exit 0"});
  CHECK(capturing.process().wait() == 0);
  CHECK(wait_until([&] { return std::filesystem::exists(capturing.tree() / "grandchild"); }));
}

TEST_CASE("a command with --user changes user and groups, for good", "[capture]") {
  if (!privileged()) return;
  const passwd* nobody = ::getpwnam("nobody");
  REQUIRE(nobody != nullptr);
  const std::string uid = std::to_string(nobody->pw_uid);
  const std::string gid = std::to_string(nobody->pw_gid);
  const std::string who = GENERATE_COPY(as<std::string>{}, "nobody", uid);
  Capturing capturing({"--user", who}, {"sh", "-c", "grep -E '^(Uid|Gid|Groups|CapEff|NoNewPrivs)' /proc/self/status"});
  REQUIRE(capturing.process().wait() == 0);
  const std::string out = capturing.process().standard_output();
  CHECK(out.find("Uid:\t" + uid + "\t" + uid + "\t" + uid + "\t" + uid) != std::string::npos);
  CHECK(out.find("Gid:\t" + gid + "\t" + gid + "\t" + gid + "\t" + gid) != std::string::npos);
  CHECK(out.find("Groups:\t" + gid + " \n") != std::string::npos);
  CHECK(out.find("CapEff:\t0000000000000000") != std::string::npos);
  CHECK(out.find("NoNewPrivs:\t0\n") != std::string::npos);  // setuid programs work, as under sudo
}

// The command must not inherit what the caller has: inheritable and ambient capabilities, an open file that only root
// can open, a keyring, a terminal to type into. Without a terminal, TIOCSTI fails with ENOTTY if it is allowed, and
// with EPERM if it is forbidden.
TEST_CASE("a command with --user inherits nothing that gives root back", "[capture]") {
  if (!privileged()) return;
  const kernel::TempTree tree;
  const std::string command =
      "grep -E '^Cap(Inh|Prm|Eff|Amb)' /proc/self/status | cut -f 2 | sort -u; "
      "for fd in 3 4 5 6 7 8 9 10 11 12 13; do [ -e /proc/self/fd/$fd ] && echo fd $fd; done; "
      "python3 -c 'import fcntl, os, termios\n"
      "try: fcntl.ioctl(os.open(\"/dev/null\", os.O_RDWR), termios.TIOCSTI, b\"x\")\n"
      "except OSError as error: print(error.strerror)'; "
      "echo $HOME $USER $LOGNAME $SHELL; env | grep -E '^(SUDO_|MAIL=|XDG_RUNTIME_DIR=|SSH_AUTH_SOCK=)'; exit 0";
  const Outcome outcome = run_program(
      {"setpriv", "--inh-caps=+net_raw", "--ambient-caps=+net_raw", "bash", "-c",
       "exec 7</etc/shadow; export SUDO_UID=0 SUDO_GID=0 MAIL=/var/mail/root XDG_RUNTIME_DIR=/run/user/0 "
       "SSH_AUTH_SOCK=/x; exec \"$0\" capture -o \"$1\" -d 0.1 --before 0 --after 0 --user nobody -- bash -c \"$2\"",
       twtrace_binary(), tree / "x.db", command});
  INFO(describe(outcome));
  CHECK(outcome.code == 0);
  const passwd* nobody = ::getpwnam("nobody");
  REQUIRE(nobody != nullptr);
  CHECK(outcome.out == "0000000000000000\nOperation not permitted\n" + std::string(nobody->pw_dir) + " nobody nobody " +
                           nobody->pw_shell + "\n");
}

TEST_CASE("a --user that is nobody is a mistake of the command line, before anything else", "[capture]") {
  const kernel::TempTree tree;
  const std::string who = GENERATE(as<std::string>{}, "", "no-such-user-anywhere", "4000000000", "-1");
  const Outcome outcome = run_twtrace({"capture", "-o", tree / "x.db", "--user", who, "--", "touch", tree / "ran"});
  check_refused(outcome, 2, "--user");
  CHECK_FALSE(std::filesystem::exists(tree / "x.db"));
  CHECK_FALSE(std::filesystem::exists(tree / "ran"));
}

TEST_CASE("a command that cannot be run says why, and nothing is attached", "[capture]") {
  const kernel::TempTree tree;
  tree.file("plain", "echo hello\n");
  const auto run = [&](const std::string& command) {
    return run_twtrace({"capture", "-o", tree / "x.db", "--before", "0", "--", command});
  };
  check_refused(run(tree / "missing"), 127, "missing");
  check_refused(run("no-such-command-anywhere"), 127, "no-such-command-anywhere");
  check_refused(run(tree / "plain"), 126, "plain");
  check_refused(run(tree.root()), 126, "Permission denied");
  CHECK_FALSE(std::filesystem::exists(tree / "x.db"));
}

TEST_CASE("what fails before the command is 125", "[capture]") {
  if (!privileged()) return;
  const kernel::TempTree tree;
  check_refused(run_twtrace({"capture", "-o", tree / "missing/x.db", "--", "true"}), 125, "missing");
  check_refused(run_twtrace({"capture", "-o", tree / "x.db", "--btf", "/dev/null", "--", "true"}), 125, "/dev/null");
  check_refused(run_twtrace({"capture", "-o", tree / "missing/x.db", "--duration", "1"}), 1, "missing");
}

TEST_CASE("a mark lands in the running capture", "[capture]") {
  if (!privileged()) return;
  Capturing capturing({},
                      {"sh", "-c", twtrace_binary() + " mark 'new release' && " + twtrace_binary() + " mark --  -x"});
  REQUIRE(capturing.process().wait() == 0);
  const auto reader = capturing.read();
  REQUIRE(reader->info().marks.size() == 2);
  CHECK(reader->info().marks[0].name == "new release");
  CHECK(reader->info().marks[1].name == "-x");
  CHECK(reader->info().marks[0].time_unix_ms >= reader->info().command->started_unix_ms);
  CHECK(reader->info().marks[1].time_unix_ms <= reader->info().command->ended_unix_ms);
  check_refused(run_twtrace({"mark", "-o", capturing.path(), "late"}), 1, "has ended");
}

TEST_CASE("whoever shows the earlier capture before the first sample of the next is told", "[capture]") {
  if (!privileged()) return;
  Capturing earlier({}, {"true"});
  REQUIRE(earlier.process().wait() == 0);
  const std::string path = earlier.path();
  const Arguments shown = {"report", path};
  CHECK(run_twtrace(shown).err.empty());
  Subprocess next(
      {twtrace_binary(), "capture", "-o", path, "-d", "60", "--probe", environment("TWTRACE_PROBE", "auto")});
  REQUIRE(next.wait_for_error("ready\n"));
  const std::string told = "twtrace: " + path + " is still the earlier capture: the one that runs has no sample yet\n";
  CHECK(run_twtrace(shown).err == told);
  CHECK(run_twtrace({"replay", "-b", path}).err == told);
  next.signal(SIGINT);
  CHECK(next.wait() == 0);
  CHECK(run_twtrace(shown).err.empty());
}

TEST_CASE("a second capture to the same file is refused, and the first goes on", "[capture]") {
  if (!privileged()) return;
  Capturing first({"--before", "3600"}, {"true"});
  REQUIRE(first.process().wait_for_error("ready\n"));
  const auto refused = [&](int code, const Arguments& rest) {
    Arguments second = {"capture", "-o", first.path()};
    second.insert(second.end(), rest.begin(), rest.end());
    check_refused(run_twtrace(second), code, first.path());
  };
  refused(1, {"--duration", "0.3"});
  refused(125, {"--", "true"});
  REQUIRE(wait_until([&] { return std::filesystem::exists(first.path()); }));
  refused(1, {"--duration", "0.3"});
  first.process().signal(SIGINT);
  CHECK(first.process().wait() == 125);
  CHECK(first.read()->info().ended_unix_ms);

  Capturing killed({}, {});
  REQUIRE(killed.process().wait_for_error("ready\n"));
  killed.process().signal(SIGKILL);
  CHECK(killed.process().wait() == 128 + SIGKILL);
  CHECK(run_twtrace({"capture", "-o", killed.path(), "--duration", "0.3"}).code == 0);
}

TEST_CASE("an earlier capture stays when the next one cannot begin", "[capture]") {
  if (!privileged()) return;
  const kernel::TempTree tree;
  const std::string path = tree / "x.db";
  REQUIRE(run_twtrace({"capture", "-o", path, "--duration", "0.3"}).code == 0);
  REQUIRE(run_twtrace({"capture", "-o", path, "--duration", "0.3"}).code == 0);
  const auto bytes_of = [](const std::string& name) {
    std::ostringstream bytes;
    bytes << std::ifstream(name, std::ios::binary).rdbuf();
    return bytes.str();
  };
  const std::string before = bytes_of(path) + bytes_of(path + ".old");
  for (int attempt = 0; attempt < 2; ++attempt) {
    const Outcome outcome = run_shell("ulimit -f 16; exec \"$0\" capture -o " + path + " --before 0 --after 0 -- true");
    INFO(describe(outcome));
    CHECK(outcome.code == 125);
    CHECK(bytes_of(path) + bytes_of(path + ".old") == before);
  }
  CHECK(std::distance(std::filesystem::directory_iterator(tree.root()), {}) == 2);
}

TEST_CASE("a file that cannot grow ends the file, not the command", "[capture]") {
  if (!privileged()) return;
  const kernel::TempTree tree;
  const Outcome outcome = run_shell("ulimit -f 320; exec \"$0\" capture -o " + (tree / "x.db").string() +
                                    " -d 0.05 --events --before 0 --after 0 -- sh -c 'sleep 6; echo finished'");
  INFO(describe(outcome));
  CHECK(outcome.code == 1);
  CHECK(outcome.out == "finished\n");
  CHECK(outcome.err.find("what was written so far can be read") != std::string::npos);
  CHECK(outcome.err.find("ulimit -f") != std::string::npos);
  const auto reader = capture::Reader::open(tree / "x.db");
  REQUIRE(reader);
  CHECK_FALSE((*reader)->info().ended_unix_ms);
}
