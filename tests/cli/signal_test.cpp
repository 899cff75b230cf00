// SPDX-License-Identifier: Apache-2.0
// A signal ends every command, even while it waits: for a reader that has stopped, or for the other side of a FIFO. A
// reader that is only slow gets everything.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <list>

#include "base/unique_fd.hpp"
#include "cli/cli.hpp"
#include "kernel/cgroup_fs.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "unit/kernel/temp_tree.hpp"

using namespace twtrace::test;
using twtrace::base::UniqueFd;
using twtrace::kernel::TempTree;

namespace {

/// A command must end two seconds after a signal. A slow machine gets more time.
constexpr milliseconds kEnd{15000};

/// A FIFO that the test has open for reading and writing.
class Fifo {
 public:
  explicit Fifo(std::string path) : path_(std::move(path)) {
    if (::mkfifo(path_.c_str(), 0600) != 0) throw std::runtime_error("mkfifo");
    fd_.reset(::open(path_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    ::fcntl(fd_.get(), F_SETPIPE_SZ, 4096);
  }
  const std::string& path() const { return path_; }
  /// Fills it, so that a write waits.
  void fill() const {
    const std::string line = "filler\n";
    while (::write(fd_.get(), line.data(), line.size()) > 0) {
    }
  }
  /// Reads its content.
  std::string take() const {
    std::string text(4096, '\0');
    const ssize_t got = ::read(fd_.get(), text.data(), text.size());
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }

 private:
  std::string path_;
  UniqueFd fd_;
};

/// A capture of this host with some samples.
void make_capture(const std::string& file) {
  const Outcome made = run_twtrace({"capture", "-o", file, "--duration", "1", "-d", "0.05"});
  INFO(describe(made));
  REQUIRE(made.code == 0);
}

bool waits_in_write(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/wchan");
  std::string where;
  std::getline(file, where);
  return where.find("pipe_write") != std::string::npos;
}

void wait_until_stalled(Subprocess& process) {
  wait_until([&] { return waits_in_write(process.pid()) || process.wait(milliseconds(0)); });
  INFO(process.standard_error());
  REQUIRE_FALSE(process.wait(milliseconds(0)));
}

/// The command line of twtrace with standard output into the pipe and, with `both`, standard error, too.
Arguments stalled(const Fifo& fifo, bool both, const Arguments& arguments) {
  Arguments argv = {"sh", "-c", std::string("out=$1; shift; exec \"$0\" \"$@\" >\"$out\"") + (both ? " 2>&1" : ""),
                    twtrace_binary(), fifo.path()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

}  // namespace

TEST_CASE("a signal ends every command while its output is stalled") {
  if (!privileged()) return;
  const TempTree tree;
  const std::string file = tree / "t.db";
  make_capture(file);
  const Fifo fifo(tree / "fifo");
  fifo.fill();
  const std::vector<Arguments> commands = {{"-b", "-d", "0.05"},
                                           {"-b", "--json", "-d", "0.05"},
                                           {"events"},
                                           {"capture", "-o", tree / "x.db", "-d", "0.05", "--duration", "0.1"},
                                           {"report", file},
                                           {"diff", file, file},
                                           {"replay", "-b", file},
                                           {"doctor"},
                                           {"demo", "-b", "-d", "0.05"},
                                           {"--help"}};
  const int signal = GENERATE(SIGTERM, SIGINT, SIGHUP);
  std::list<Subprocess> processes;  // side by side: each takes its time to start and to give up
  for (const Arguments& command : commands) processes.emplace_back(stalled(fifo, false, command));
  for (Subprocess& process : processes) wait_until_stalled(process);
  for (Subprocess& process : processes) process.signal(signal);
  auto process = processes.begin();
  for (const Arguments& command : commands) {
    INFO(command.front() << " signal " << signal);
    CHECK((process++)->wait(kEnd) == 128 + signal);
  }
}

TEST_CASE("a signal ends a command that cannot even write diagnostics") {
  if (!privileged()) return;
  const TempTree tree;
  const Fifo fifo(tree / "fifo");
  fifo.fill();
  const std::vector<Arguments> commands = {
      {"-b"}, {"capture", "-o", tree / "x.db", "--before", "0", "--after", "0", "--", "true"}, {"--bogus"}};
  for (const Arguments& command : commands) {
    INFO(command.front());
    Subprocess process(stalled(fifo, true, command));
    wait_until_stalled(process);
    process.signal(SIGTERM);
    CHECK(process.wait(kEnd) == 128 + SIGTERM);
  }
  CHECK(run_twtrace({"report", tree / "x.db"}).code == 0);
}

TEST_CASE("who gives up on a reader says so, and leaves nothing behind") {
  if (!privileged()) return;
  const TempTree tree;
  const Fifo fifo(tree / "fifo");
  fifo.fill();
  Subprocess process(stalled(fifo, false, {"demo", "-b", "-d", "0.05"}));
  wait_until_stalled(process);
  process.signal(SIGTERM);
  CHECK(process.wait(kEnd) == 128 + SIGTERM);
  CHECK(
      lines(process.standard_error()).back() ==
      "twtrace: cannot write to standard output: Interrupted system call; a signal came while nobody read the output");
  const auto mounted = twtrace::kernel::CgroupFs::open(twtrace::kernel::Procfs());
  if (!mounted || mounted->tree() == nullptr) return;
  CHECK_FALSE(
      std::filesystem::exists(mounted->tree()->mount_point() / ("twtrace-demo-" + std::to_string(process.pid()))));
}

// The signal comes before there is anything to write.
TEST_CASE("the last snapshot is not waited for, either") {
  if (!privileged()) return;
  const TempTree tree;
  const Fifo fifo(tree / "fifo");
  fifo.fill();
  Subprocess process(stalled(fifo, false, {"-b", "--json", "-d", "3600"}));
  REQUIRE(process.wait_for_error("ready\n"));
  process.signal(SIGTERM);
  CHECK(process.wait(kEnd) == 128 + SIGTERM);
}

TEST_CASE("a signal that a script's background job would ignore ends it all the same") {
  if (!privileged()) return;
  const TempTree tree;
  const std::string file = tree / "t.db";
  make_capture(file);
  const Fifo fifo(tree / "fifo");
  fifo.fill();
  Arguments argv = stalled(fifo, false, {"report", file});
  argv[2] = "trap '' INT; " + argv[2];
  Subprocess process(argv);
  wait_until_stalled(process);
  process.signal(SIGINT);
  CHECK(process.wait(kEnd) == 128 + SIGINT);
}

TEST_CASE("a capture that ends by a signal is whole when its report is stalled") {
  if (!privileged()) return;
  const TempTree tree;
  const std::string file = tree / "x.db";
  const Fifo fifo(tree / "fifo");
  fifo.fill();
  Subprocess process(stalled(fifo, false, {"capture", "-o", file, "-d", "0.05"}));
  REQUIRE(process.wait_for_error("ready\n"));
  process.signal(SIGINT);
  CHECK(process.wait(kEnd) == 128 + SIGINT);
  const Outcome report = run_twtrace({"report", "--json", file});
  INFO(describe(report));
  REQUIRE(report.code == 0);
  CHECK(nlohmann::json::parse(report.out).at("capture").at("complete") == true);
}

TEST_CASE("a FIFO is no file to read or write, and nobody waits for its other side") {
  if (!privileged()) return;
  const TempTree tree;
  const std::string fifo = tree / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const std::vector<Arguments> commands = {{"report", fifo},
                                           {"diff", fifo, fifo},
                                           {"replay", fifo},
                                           {"mark", "-o", fifo, "x"},
                                           {"capture", "-o", fifo, "--duration", "1"},
                                           {"-b", "--btf", fifo},
                                           {"doctor", "--btf", fifo}};
  for (const Arguments& command : commands) {
    INFO(command.front());
    const Outcome outcome = run_twtrace(command);
    check_refused(outcome, 1, fifo);
    CHECK(outcome.err.find("regular file") != std::string::npos);
  }
}

TEST_CASE("a standard output that does not block is waited for, and gets everything") {
  if (!privileged()) return;
  const TempTree tree;
  const std::string file = tree / "t.db";
  make_capture(file);
  const std::string whole = run_twtrace({"replay", "-b", "--json", file}).out;
  REQUIRE(whole.size() > 8192);
  const Fifo fifo(tree / "fifo");
  Subprocess process({"sh", "-c",
                      "exec python3 -c 'import fcntl, os, sys; fcntl.fcntl(1, fcntl.F_SETFL, os.O_NONBLOCK); "
                      "os.execv(sys.argv[1], sys.argv[1:])' \"$0\" replay -b --json \"$1\" >\"$2\"",
                      twtrace_binary(), file, fifo.path()});
  std::string got;
  const auto read = [&] { return got += fifo.take(), got.size() >= whole.size() || process.wait(milliseconds(0)); };
  wait_until(read);
  CHECK(process.wait() == 0);
  got += fifo.take();
  CHECK(got == whole);
  CHECK(process.standard_error().empty());
}

TEST_CASE("what a stalled pipe holds ends with a whole line") {
  if (!privileged()) return;
  const TempTree tree;
  const Fifo fifo(tree / "fifo");
  Subprocess process(stalled(fifo, false, {"-b", "-d", "0.05"}));
  REQUIRE(wait_until([&] { return waits_in_write(process.pid()); }));
  process.signal(SIGTERM);
  CHECK(process.wait(kEnd) == 128 + SIGTERM);
  const std::string text = fifo.take();
  REQUIRE_FALSE(text.empty());
  CHECK(text.back() == '\n');
}
