// SPDX-License-Identifier: Apache-2.0
#include "kernel/procfs.hpp"

#include <time.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "temp_tree.hpp"

using namespace twtrace::kernel;
using namespace std::string_literals;

namespace {

// The first 22 fields of /proc/PID/stat, and two of the rest.
std::string stat_line(const std::string& comm, char state, unsigned threads, std::uint64_t start_ticks) {
  return "7 (" + comm + ") " + state + " 5 7 7 0 -1 4194560 10 11 12 13 14 15 16 17 20 0 " + std::to_string(threads) +
         " 0 " + std::to_string(start_ticks) + " 8192 33\n";
}

}  // namespace

TEST_CASE("parse_stat takes any name") {
  for (const std::string& comm :
       {"redis-worker"s, ") Z 1 (x"s, "a b"s, "line\nbreak"s, ""s, "\xff\x01"s, "(("s, "))"s}) {
    CAPTURE(comm);
    const auto stat = parse_stat(stat_line(comm, 'S', 3, 4711));
    REQUIRE(stat);
    CHECK(stat->comm == comm);
    CHECK(stat->state == 'S');
    CHECK(stat->parent == 5);
    CHECK(stat->start_ticks == 4711);
  }
}

TEST_CASE("parse_stat refuses every cut-off line") {
  const std::string line = stat_line("x", 'R', 1, 99);
  const std::size_t complete = line.find(" 8192") - 1;  // "9" alone is a whole field, but the wrong number
  for (std::size_t length = 0; length < complete; ++length) CHECK_FALSE(parse_stat(line.substr(0, length)));
  CHECK(parse_stat(line.substr(0, complete + 1))->start_ticks == 99);
  CHECK_FALSE(parse_stat(") ("));
}

TEST_CASE("Procfs lists pids in order and nothing else") {
  const TempTree tree;
  for (const char* name : {"10", "9", "1", "self", "net", "7x", "-3", "99999999999"}) tree.directory(name);
  CHECK(Procfs(tree.root()).pids() == std::vector<std::uint32_t>{1, 9, 10});
  CHECK(Procfs(tree / "nothing").pids().empty());
}

TEST_CASE("cmdline joins arguments, and uid is the real one") {
  const TempTree tree;
  const Procfs procfs(tree.root());
  tree.file("7/cmdline", "nginx\0-g\0daemon off;\0"s);
  tree.file("8/cmdline", "");
  CHECK(procfs.cmdline(7) == "nginx -g daemon off;");
  CHECK(procfs.cmdline(8) == "");
  CHECK_FALSE(procfs.cmdline(9));

  tree.file("7/status", "Name:\tUid: 5\nUmask:\t0022\nUid:\t33\t34\t35\t36\nGid:\t1\t1\t1\t1\n");
  tree.file("8/status", "Name:\tx\n");
  CHECK(procfs.uid(7) == 33U);
  CHECK_FALSE(procfs.uid(8));
  CHECK_FALSE(procfs.uid(9));
}

TEST_CASE("Procfs agrees with the running kernel about this process") {
  const Procfs procfs;
  const auto pid = static_cast<std::uint32_t>(::getpid());
  const auto stat = procfs.stat(pid);
  REQUIRE(stat);
  CHECK(stat->state == 'R');
  CHECK(procfs.uid(pid) == ::getuid());
  CHECK(procfs.cmdline(pid)->find("unit_kernel") != std::string::npos);
}
