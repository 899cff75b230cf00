// SPDX-License-Identifier: Apache-2.0
// A helper process that stands still (SIGSTOP here, a file system that does not answer elsewhere) holds up nothing.
#include <signal.h>
#include <sys/stat.h>

#include <fstream>

#include "cli/cli.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "unit/kernel/temp_tree.hpp"

using namespace twtrace::test;
using twtrace::kernel::TempTree;

namespace {

/// The child of that name.
pid_t child_of(pid_t parent, const std::string& comm) {
  const std::string pid = std::to_string(parent);
  std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
  for (pid_t child = 0; children >> child;) {
    std::ifstream file("/proc/" + std::to_string(child) + "/comm");
    std::string found;
    if (std::getline(file, found) && found == comm) return child;
  }
  FAIL("there is no " << comm);
  return -1;
}

bool has_ended(pid_t pid) { return ::kill(pid, 0) != 0; }

/// A helper that stands still. In the end it goes on: nothing is left behind.
class Stopped {
 public:
  Stopped(Subprocess& process, const std::string& comm) {
    REQUIRE(process.wait_for_error("ready\n"));
    pid_ = child_of(process.pid(), comm);
    REQUIRE(::kill(pid_, SIGSTOP) == 0);
  }
  Stopped(const Stopped&) = delete;
  Stopped& operator=(const Stopped&) = delete;
  ~Stopped() { go_on(); }

  pid_t pid() const { return pid_; }
  void go_on() const { ::kill(pid_, SIGCONT); }

 private:
  pid_t pid_ = -1;
};

/// Makes twtrace ask for names.
Subprocess new_namespace() { return Subprocess({"unshare", "-n", "sleep", "1000"}); }

}  // namespace

TEST_CASE("if the helper for names stands still, the samples go on, and one line says so") {
  if (!privileged()) return;
  Subprocess process({twtrace_binary(), "-b", "--json", "-d", "0.2"});
  const Stopped helper(process, "twtrace-names");
  const Subprocess netns = new_namespace();
  REQUIRE(process.wait_for_error("does not answer"));
  const std::size_t so_far = process.standard_output().size();
  CHECK(wait_until([&] { return lines(process.standard_output(so_far)).size() > 5; }));
  process.signal(SIGINT);
  CHECK(process.wait() == 0);
  const std::string said = process.standard_error();
  INFO(said);
  CHECK(lines(said).size() == 2);  // "ready" is the other one
  CHECK(said.find("twtrace-names, pid " + std::to_string(helper.pid())) != std::string::npos);
  CHECK(wait_until([&] { return has_ended(helper.pid()); }));  // of the same user: killed
}

TEST_CASE("if the helper for names stands still, a capture ends, and the helper ends when it goes on") {
  if (!privileged()) return;
  const TempTree tree;
  Subprocess process({twtrace_binary(), "capture", "-o", tree / "x.db", "-d", "0.2"});
  const Stopped helper(process, "twtrace-names");
  const Subprocess netns = new_namespace();
  REQUIRE(process.wait_for_error("does not answer"));
  process.signal(SIGINT);
  CHECK(process.wait() == 0);
  CHECK(run_twtrace({"report", tree / "x.db"}).code == 0);
  helper.go_on();
  CHECK(wait_until([&] { return has_ended(helper.pid()); }));
}

TEST_CASE("if the process that reads logs stands still, a capture goes on, ends and says what is missing") {
  if (!privileged()) return;
  const TempTree tree;
  tree.file("app.log", "");
  Subprocess process(
      {twtrace_binary(), "capture", "-o", tree / "x.db", "-d", "0.2", "--log", (tree / "app.log").string() + "=E"});
  const Stopped reader(process, "twtrace-logs");
  REQUIRE(process.wait_for_error("the process that reads logs does not answer: its lines are counted once it does"));
  process.signal(SIGINT);
  CHECK(process.wait() == 1);
  INFO(process.standard_error());
  CHECK(process.standard_error().find("its last lines are not counted") != std::string::npos);
  CHECK(run_twtrace({"report", tree / "x.db"}).out.find("did not answer") != std::string::npos);
  reader.go_on();
  CHECK(wait_until([&] { return has_ended(reader.pid()); }));
}
