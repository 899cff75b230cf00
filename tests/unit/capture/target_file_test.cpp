// SPDX-License-Identifier: Apache-2.0
#include "capture/target_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "support/catch.hpp"
#include "world.hpp"

using namespace twtrace;
using namespace twtrace::test;
namespace fs = std::filesystem;

namespace {

const capture::Invoker kMe{::geteuid(), ::getegid()};

std::string why_refused(const std::string& path, const capture::Invoker& invoker = kMe) {
  const auto target = capture::TargetFile::check(path, invoker);
  if (target) return "";
  CHECK_FALSE(target.error().hint.empty());
  return target.error().what;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a capture is its owner's alone", "[capture]") {
  const kernel::TempTree tree;
  const mode_t mask = ::umask(0);
  capture_into(tree / "mine.db", 1, kMe);
  ::umask(mask);
  struct stat found {};
  REQUIRE(::stat((tree / "mine.db").c_str(), &found) == 0);
  CHECK((found.st_mode & 07777) == 0600);
}

TEST_CASE("under sudo the file belongs to the invoking user, while it is written, too", "[capture]") {
  if (::geteuid() != 0) return;
  const kernel::TempTree tree;
  ::setenv("SUDO_UID", "1234", 1);
  ::setenv("SUDO_GID", "4321", 1);
  const capture::Invoker who = capture::invoker();
  ::setenv("SUDO_UID", "root", 1);
  CHECK(capture::invoker().uid == 0);
  ::unsetenv("SUDO_UID");
  ::unsetenv("SUDO_GID");
  CHECK(who.uid == 1234);
  CHECK(who.gid == 4321);
  auto target = capture::TargetFile::check(tree / "x.db", who);
  REQUIRE(target);
  auto writer = capture::Writer::create(std::move(*target), World::info(), {});
  REQUIRE(writer);
  World(1).sample(
      [&](const model::Snapshot& head, const model::Source& source) { REQUIRE(writer->append(head, source)); });
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat found {};
    INFO(suffix);
    REQUIRE(::stat(((tree / "x.db").string() + suffix).c_str(), &found) == 0);
    CHECK(found.st_uid == 1234);
    CHECK(found.st_gid == 4321);
    CHECK((found.st_mode & 07777) == 0600);
  }
}

TEST_CASE("what is there already is not overwritten unless it is a capture", "[capture]") {
  const kernel::TempTree tree;
  tree.file("notes.txt", "mine");
  CHECK(contains(why_refused(tree / "notes.txt"), "is not a capture"));
  tree.link("link.db", tree / "notes.txt");
  CHECK(contains(why_refused(tree / "link.db"), "symbolic link"));
  tree.link("dangling.db", "nowhere");
  CHECK(contains(why_refused(tree / "dangling.db"), "symbolic link"));
  REQUIRE(::mkfifo((tree / "fifo").c_str(), 0600) == 0);
  CHECK(contains(why_refused(tree / "fifo"), "FIFO"));
  tree.directory("dir");
  CHECK(contains(why_refused(tree / "dir"), "directory"));
  CHECK(contains(why_refused("/dev/null"), "device"));
  tree.file("empty.db", "");
  tree.file("other.db.old", "mine");
  CHECK(contains(why_refused(tree / "other.db"), "other.db.old is not a capture"));
  CHECK(why_refused(tree / "empty.db").empty());
  CHECK(bool(std::ifstream(tree / "notes.txt")));
}

TEST_CASE("names and directories that cannot be used", "[capture]") {
  const kernel::TempTree tree;
  CHECK(contains(why_refused("-"), "standard output"));
  CHECK(contains(why_refused(""), "not the name of a file"));
  CHECK(contains(why_refused(tree.root().string() + "/"), "not the name of a file"));
  CHECK(contains(why_refused(".."), "not the name of a file"));
  CHECK(contains(why_refused(tree / std::string(244, 'x')), "-o: a name of 244 bytes is too long"));
  CHECK(why_refused(tree / std::string(243, 'x')).empty());
  CHECK(contains(why_refused(tree / "missing/x.db"), "No such file"));
  tree.file("file", "");
  CHECK(contains(why_refused(tree / "file/x.db"), "Not a directory"));

  tree.directory("open");
  fs::permissions(tree / "open", fs::perms::all);
  CHECK(contains(why_refused(tree / "open/x.db"), "everybody"));
  fs::permissions(tree / "open", fs::perms::all | fs::perms::sticky_bit);
  CHECK(why_refused(tree / "open/x.db").empty());
  fs::permissions(tree / "open", static_cast<fs::perms>(0775));
  CHECK(why_refused(tree / "open/x.db").empty());
  if (::geteuid() != 0) return;
  REQUIRE(::chown((tree / "open").c_str(), 1234, 1234) == 0);
  CHECK(contains(why_refused(tree / "open/x.db"), "another user"));
  CHECK(why_refused(tree / "open/x.db", {1234, 1234}).empty());
  tree.file("open/x.db-wal", "planted");
  REQUIRE(::chown((tree / "open/x.db-wal").c_str(), 999, 999) == 0);
  CHECK(contains(why_refused(tree / "open/x.db", {1234, 1234}), "not a file of twtrace"));
}
