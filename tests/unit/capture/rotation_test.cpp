// SPDX-License-Identifier: Apache-2.0
// Several captures into one file. A second writer is refused. An earlier capture survives whatever happens to the next.
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include <fstream>
#include <iterator>

#include "child.hpp"
#include "support/catch.hpp"
#include "world.hpp"

using namespace twtrace;
using namespace twtrace::test;
namespace fs = std::filesystem;

namespace {

std::size_t samples_in(const std::string& path) {
  if (!fs::exists(path)) return 0;
  const auto reader = capture::Reader::open(path);
  return reader ? read_samples(**reader).size() : 0;
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> names_in(const fs::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

base::Error why_refused(const std::string& path) {
  const auto target = capture::TargetFile::check(path, capture::invoker());
  return target ? base::Error() : target.error();
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// An unfinished capture with this many samples.
capture::Writer begun(const std::string& path, int samples) {
  auto target = capture::TargetFile::check(path, capture::invoker());
  if (!target) throw std::runtime_error(target.error().what);
  auto writer = capture::Writer::create(std::move(*target), World::info(), {});
  World world(5);
  for (; samples > 0; --samples) {
    world.sample([&](const model::Snapshot& head, const model::Source& source) {
      if (!writer->append(head, source)) throw std::runtime_error("cannot append");
    });
  }
  return std::move(*writer);
}

/// Leaves the two files of an interrupted capture, as kill -9 does.
void cut_into(const std::string& path, std::size_t samples) {
  Captured cut(5);
  cut.add(samples);
  fs::copy_file(cut.path, path, fs::copy_options::overwrite_existing);
  fs::copy_file(cut.path + "-wal", path + "-wal");
}

bool changes_names(long system_call) {
  const auto all = {SYS_renameat, SYS_renameat2, SYS_linkat, SYS_unlinkat,
#ifdef SYS_rename
                    SYS_rename,   SYS_link,      SYS_unlink
#endif
  };
  return std::find(all.begin(), all.end(), system_call) != all.end();
}

/// Begins a capture and appends one sample in a child. The child is killed just before its system call number `step`
/// that changes a file name. True if it made fewer of these calls.
bool append_and_kill(const std::string& path, std::size_t step) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    capture::Writer writer = begun(path, 0);
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(1);
    ::raise(SIGSTOP);
    World(5).sample([&](const model::Snapshot& head, const model::Source& source) {
      static_cast<void>(writer.append(head, source));
    });
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  ::ptrace(PTRACE_SETOPTIONS, pid, nullptr, PTRACE_O_TRACESYSGOOD);
  for (std::size_t left = step + 1; WIFSTOPPED(status);) {
    __ptrace_syscall_info info{};
    ::ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info);
    const bool enters = info.op == PTRACE_SYSCALL_INFO_ENTRY;
    if (enters && changes_names(static_cast<long>(info.entry.nr)) && --left == 0) ::kill(pid, SIGKILL);
    ::ptrace(PTRACE_SYSCALL, pid, nullptr, nullptr);
    ::waitpid(pid, &status, 0);
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0) throw std::runtime_error("the child cannot be traced");
  return WIFEXITED(status);
}

}  // namespace

TEST_CASE("an earlier capture becomes FILE.old, with what was cut of it", "[capture]") {
  const kernel::TempTree tree;
  const std::string path = tree / "twtrace.db";
  capture_into(path, 3);
  capture_into(path, 5);
  CHECK(samples_in(path) == 5);
  CHECK(samples_in(path + ".old") == 3);

  // An interrupted capture keeps its -wal when it is renamed. The next one does not inherit it.
  cut_into(path, 7);
  capture_into(path, 2);
  CHECK(samples_in(path) == 2);
  CHECK(samples_in(path + ".old") == 7);
  CHECK_FALSE(fs::exists(path + "-wal"));
  capture_into(path, 11);
  CHECK(samples_in(path + ".old") == 2);
  CHECK(names_in(tree.root()) == std::vector<std::string>{"twtrace.db", "twtrace.db.old"});
}

TEST_CASE("an earlier capture stays what it is until the next one has a sample", "[capture]") {
  const kernel::TempTree tree;
  const std::string path = tree / "twtrace.db";
  capture_into(path, 3);
  capture_into(path, 5);
  const std::string before = bytes_of(path);
  const std::string before_old = bytes_of(path + ".old");
  {
    const capture::Writer writer = begun(path, 0);
    CHECK_FALSE(writer.placed());
    CHECK(bytes_of(path) == before);
    CHECK(bytes_of(path + ".old") == before_old);
  }
  CHECK(names_in(tree.root()) == std::vector<std::string>{"twtrace.db", "twtrace.db.old"});
  CHECK(bytes_of(path) == before);
  {
    const capture::Writer writer = begun(path, 1);
    CHECK(writer.placed());
  }
  CHECK(samples_in(path) == 1);
  CHECK(samples_in(path + ".old") == 5);
}

TEST_CASE("a capture that ends without a sample takes nothing's place", "[capture]") {
  const kernel::TempTree tree;
  const std::string path = tree / "twtrace.db";
  capture_into(path, 3);
  {
    capture::Writer writer = begun(path, 0);
    CHECK_FALSE(writer.finish(World::kStart, {}));
  }
  CHECK(names_in(tree.root()) == std::vector<std::string>{"twtrace.db"});
  CHECK(samples_in(path) == 3);
}

TEST_CASE("an empty file is no earlier capture", "[capture]") {
  const kernel::TempTree tree;
  const std::string path = tree / "twtrace.db";
  capture_into(path + ".old", 3);
  tree.file("twtrace.db", "");
  capture_into(path, 2);
  CHECK(samples_in(path) == 2);
  CHECK(samples_in(path + ".old") == 3);
}

TEST_CASE("a second capture to the same file is refused at any moment of the first, which goes on", "[capture]") {
  const kernel::TempTree tree;
  const std::string path = tree / "twtrace.db";
  const bool earlier = GENERATE(false, true);
  if (earlier) capture_into(path, 3);
  {
    const Holder checks([&] { return capture::TargetFile::check(path, capture::invoker()); });
    REQUIRE(checks.holds());
    CHECK(contains(why_refused(path).what, "about to be written to " + path));
    CHECK(why_refused(path).code == base::ErrorCode::kFailure);
    CHECK_FALSE(why_refused(path).hint.empty());
  }
  {
    const Holder waits([&] { return begun(path, 0); });
    REQUIRE(waits.holds());
    CHECK(contains(why_refused(path).what, "about to be written to " + path));
  }
  {
    Holder writes([&] { return begun(path, 7); });
    REQUIRE(writes.holds());
    CHECK(contains(why_refused(path).what, "being written to " + path));
    CHECK(samples_in(path) == 7);
    CHECK(contains(why_refused(path.substr(0, path.size() - 3)).what, ""));  // another name is free
    writes.kill();
  }
  CHECK(samples_in(path) == 7);
  CHECK(why_refused(path).what.empty());  // the kernel has released the locks
}

TEST_CASE("what is written as FILE.old or FILE.new of another capture is refused, too", "[capture]") {
  const kernel::TempTree tree;
  const std::string path = tree / "twtrace.db";
  const Holder writes([&] { return begun(path + ".old", 1); });
  REQUIRE(writes.holds());
  CHECK(contains(why_refused(path).what, "being written to " + path + ".old"));
  const Holder waits([&] { return begun(tree / "b.db", 0); });
  REQUIRE(waits.holds());
  CHECK(contains(why_refused(tree / "b.db.new").what, "being written to"));
  const Holder will_write([&] { return begun(tree / "c.db.old", 0); });
  REQUIRE(will_write.holds());
  CHECK(why_refused(tree / "c.db").what == "another capture is about to be written to " + (tree / "c.db.old").string());
}

TEST_CASE("a capture that waits for its first sample is told from a file that is not there", "[capture]") {
  const kernel::TempTree tree;
  const std::string path = tree / "twtrace.db";
  const auto why_unreadable = [&] { return capture::Reader::open(path).error().what; };
  {
    Holder waits([&] { return begun(path, 0); });
    REQUIRE(waits.holds());
    CHECK(why_unreadable() == path + ": the capture has no sample yet");
    waits.kill();
  }
  CHECK(contains(why_unreadable(), "No such file"));
}

TEST_CASE("an earlier capture is told from the one that waits to take its name", "[capture]") {
  const kernel::TempTree tree;
  const std::string path = tree / "twtrace.db";
  const auto being_replaced = [&] { return capture::Reader::open(path).value()->info().being_replaced; };
  capture_into(path, 3);
  CHECK_FALSE(being_replaced());
  {
    Holder waits([&] { return begun(path, 0); });
    REQUIRE(waits.holds());
    CHECK(being_replaced());
    waits.kill();
  }
  CHECK_FALSE(being_replaced());  // what it left takes no name
  const Holder writes([&] { return begun(path, 1); });
  REQUIRE(writes.holds());
  CHECK_FALSE(being_replaced());
  CHECK(capture::Reader::open(path).value()->info().running);
}

TEST_CASE("what a capture leaves that was killed before its first sample is in nobody's way", "[capture]") {
  const kernel::TempTree tree;
  const std::string path = tree / "twtrace.db";
  capture_into(path, 3);
  {
    Holder waits([&] { return begun(path, 0); });
    REQUIRE(waits.holds());
    waits.kill();
  }
  CHECK(fs::exists(path + ".new-wal"));
  CHECK(samples_in(path) == 3);
  capture_into(path, 5);
  CHECK(samples_in(path) == 5);
  CHECK(samples_in(path + ".old") == 3);
  CHECK(names_in(tree.root()) == std::vector<std::string>{"twtrace.db", "twtrace.db.old"});
}

TEST_CASE("the next capture does not remove one with samples that never got its name", "[capture]") {
  const bool was_killed = GENERATE(false, true);
  const kernel::TempTree tree;
  const std::string path = tree / "twtrace.db";
  for (const std::size_t samples : {std::size_t{4}, std::size_t{6}}) {
    if (was_killed) {
      cut_into(path + ".new", samples);
    } else {
      capture_into(path + ".new", samples);
    }
    capture_into(path, 2);
  }
  CHECK(samples_in(path + ".new.1") == 4);
  CHECK(samples_in(path + ".new.2") == 6);
  CHECK(samples_in(path) == 2);
  CHECK_FALSE(fs::exists(path + ".new-wal"));
  if (!was_killed) {
    CHECK(names_in(tree.root()) ==
          std::vector<std::string>{"twtrace.db", "twtrace.db.new.1", "twtrace.db.new.2", "twtrace.db.old"});
  }
}

TEST_CASE("a leftover of somebody else is not touched", "[capture]") {
  if (::geteuid() != 0) return;
  const kernel::TempTree tree;
  tree.file("twtrace.db.new", "theirs");
  REQUIRE(::chown((tree / "twtrace.db.new").c_str(), 999, 999) == 0);
  CHECK(contains(why_refused(tree / "twtrace.db").what, "not a file of twtrace"));
  tree.link("b.db.new", "/etc/passwd");
  CHECK(contains(why_refused(tree / "b.db").what, "not a file of twtrace"));
  CHECK(bytes_of(tree / "twtrace.db.new") == "theirs");
}

TEST_CASE("a full disk, twice, leaves FILE and FILE.old as they were", "[capture]") {
  if (::geteuid() != 0) return;  // mounting takes root
  const std::string result = in_small_tmpfs("1m", [] {
    const kernel::TempTree tree;
    const std::string path = tree / "twtrace.db";
    capture_into(path, 3);
    capture_into(path, 5);
    const std::string before = bytes_of(path) + bytes_of(path + ".old");
    std::ofstream filler(tree / "filler");
    while (filler << std::string(512, 'x') << std::flush) {
    }
    std::string text;
    for (int attempt = 0; attempt < 2; ++attempt) {
      try {
        capture_into(path, 1);
        text += "no error; ";
      } catch (const std::exception& error) {
        text += error.what();
      }
    }
    text += before == bytes_of(path) + bytes_of(path + ".old") ? "; all there" : "; lost";
    for (const std::string& name : names_in(tree.root())) text += " " + name;
    return text;
  });
  INFO(result);
  CHECK(contains(result, "; all there filler twtrace.db twtrace.db.old"));
  CHECK_FALSE(contains(result, "no error"));
}

TEST_CASE("kill -9 at any step of the switch leaves the earlier capture whole", "[capture]") {
  const bool was_cut = GENERATE(false, true);
  const kernel::TempTree before;
  capture_into(before / "twtrace.db", was_cut ? 3 : 7);
  fs::rename(before / "twtrace.db", before / "twtrace.db.old");
  if (was_cut) {
    cut_into(before / "twtrace.db", 7);
  } else {
    capture_into(before / "twtrace.db", 7);
  }
  std::size_t steps = 0;
  for (bool ended = false; !ended; ++steps) {
    const kernel::TempTree tree;
    const std::string path = tree / "twtrace.db";
    fs::copy(before.root(), tree.root());
    ended = append_and_kill(path, steps);
    INFO("killed at step " << steps);
    REQUIRE((samples_in(path) == 7 || samples_in(path + ".old") == 7));
    capture_into(path, 2);  // the remains disturb nobody
    for (const char* suffix : {"-wal", "-shm", "-journal", ".new", ".new-wal", ".new-shm", ".old-shm"}) {
      REQUIRE_FALSE(fs::exists(path + suffix));
    }
  }
  CHECK(steps > 10);
}

TEST_CASE("an earlier capture that another program has open in WAL mode is not moved", "[capture]") {
  const kernel::TempTree tree;
  const std::string path = tree / "twtrace.db";
  capture_into(path, 3);
  run_sql(path, "PRAGMA journal_mode=WAL");
  capture::Writer writer = begun(path, 0);
  World world(5);
  const auto append = [&] {
    world.sample(
        [&](const model::Snapshot& head, const model::Source& source) { REQUIRE(writer.append(head, source)); });
  };
  Holder reads([&] { return Client(path, "SELECT count(*) FROM sample"); });
  REQUIRE(reads.holds());
  CHECK(contains(why_refused(tree / "twtrace.db").what, "about to be written"));
  append();
  CHECK_FALSE(writer.placed());
  reads.let_go();
  append();
  CHECK(writer.placed());
  append();
  REQUIRE(writer.finish(World::kStart, {}) == capture::Left::kPlainFile);
  CHECK(samples_in(path) == 3);
  CHECK(samples_in(path + ".old") == 3);
}

TEST_CASE("a capture that could not get its name is whole, and says where and why", "[capture]") {
  const kernel::TempTree tree;
  const std::string path = tree / "twtrace.db";
  capture_into(path, 3);
  const bool writes = GENERATE(false, true);
  if (!writes) run_sql(path, "PRAGMA journal_mode=WAL");
  capture::Writer writer = begun(path, 0);
  const Holder older([&] { return writes ? std::optional(begun(path + ".old", 1)) : std::nullopt; });
  const Holder reader(
      [&] { return writes ? std::nullopt : std::optional<Client>(std::in_place, path, "SELECT 1 FROM sample"); });
  REQUIRE(older.holds());
  REQUIRE(reader.holds());
  World world(5);
  for (int i = 0; i < 4; ++i) {
    world.sample([&](const auto& head, const auto& source) { REQUIRE(writer.append(head, source)); });
  }
  const auto left = writer.finish(World::kStart, {});
  REQUIRE_FALSE(left);
  CHECK(left.error().what ==
        (writes ? "another capture writes " + path + ".old" : "another program has " + path + " open") +
            ", so the new capture is " + path + ".new");
  REQUIRE(writer.kept_as() == path + ".new");
  CHECK(samples_in(path + ".new") == 4);
  CHECK_FALSE(fs::exists(path + ".new-wal"));
  CHECK(samples_in(path) == 3);
}
