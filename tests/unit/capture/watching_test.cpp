// SPDX-License-Identifier: Apache-2.0
// Other processes read a capture during its recording, or damage the files beside it.
#include <fcntl.h>
#include <sys/mman.h>

#include <future>
#include <optional>

#include "capture/truncation.hpp"
#include "child.hpp"
#include "support/catch.hpp"
#include "world.hpp"

using namespace twtrace;
using namespace twtrace::test;
namespace fs = std::filesystem;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string seen(const std::string& path) {
  const auto reader = open_capture(path);
  return std::to_string(read_samples(*reader).size()) + (reader->info().ended_unix_ms ? " ended" : " cut");
}

/// A capture, and another process that was started before it. A later child would believe that it holds the locks of
/// its parent.
struct Watched {
  kernel::TempTree tree;
  std::string path = tree / "twtrace.db";
  std::optional<Client> client;
  std::unique_ptr<capture::Reader> reader;
  Other other{[this](const std::string& what) {
    if (what == "look") return seen(path);
    if (what == "read") {
      reader = open_capture(path);
    } else if (what == "let go") {
      client.reset();
      reader.reset();
    } else {
      client.emplace(path, what);
    }
    return std::string("done");
  }};
  Captured captured{1, path};
};

base::Result<capture::Left> finish(Captured& captured) {
  auto left = captured.writer->finish(World::kStart + 77'000, {World::settings(5003)});
  captured.writer.reset();
  return left;
}

/// Records 3 samples, calls `harm` on the path, and goes on recording. Returns the error, and what can be read.
std::string after(const std::function<void(const std::string&)>& harm) {
  return in_child([&] {
    Captured captured;
    captured.add(3);
    harm(captured.path);
    std::string text;
    try {
      captured.add(1);
      captured.finish();
      text = "no error";
    } catch (const std::exception& error) {
      text = error.what();
    }
    captured.writer.reset();
    const auto reader = open_capture(captured.path);
    return text + "; " + std::to_string(read_samples(*reader).size()) +
           (reader->info().ended_unix_ms ? " ended" : " cut");
  });
}

}  // namespace

TEST_CASE("who reads while it is written takes nothing from it", "[capture]") {
  Watched watched;
  watched.captured.add(3);
  REQUIRE(watched.other.ask("BEGIN; SELECT count(*) FROM sample") == "done");
  watched.captured.add(60);
  REQUIRE(watched.other.ask("let go") == "done");
  CHECK(watched.other.ask("look") == "63 cut");
  watched.captured.add(2);
  REQUIRE(finish(watched.captured) == capture::Left::kPlainFile);
  CHECK(read_samples(*open_capture(watched.path)) == watched.captured.samples);
}

TEST_CASE("a capture ends while a client reads, and is one plain file when that lets go", "[capture]") {
  const char* sql = GENERATE("SELECT count(*) FROM sample", "BEGIN; SELECT count(*) FROM sample");
  Watched watched;
  watched.captured.add(3);
  REQUIRE(watched.other.ask(sql) == "done");
  watched.captured.add(4);
  CHECK(finish(watched.captured) == capture::Left::kWal);
  CHECK(seen(watched.path) == "7 ended");
  CHECK(watched.other.ask("let go") == "done");
  for (const char* suffix : {"-wal", "-shm", "-journal"}) CHECK_FALSE(fs::exists(watched.path + suffix));
  CHECK(seen(watched.path) == "7 ended");
  capture_into(watched.path, 2);
  CHECK(seen(watched.path + ".old") == "7 ended");
}

TEST_CASE("a capture ends while twtrace reads, which writes nothing", "[capture]") {
  Watched watched;
  watched.captured.add(3);
  REQUIRE(watched.other.ask("read") == "done");
  watched.captured.add(4);
  CHECK(finish(watched.captured) == capture::Left::kWal);
  CHECK(watched.other.ask("let go") == "done");
  CHECK(fs::exists(watched.path + "-wal"));
  CHECK(seen(watched.path) == "7 ended");
  capture_into(watched.path, 2);
  CHECK(seen(watched.path + ".old") == "7 ended");
  CHECK(seen(watched.path) == "2 ended");
}

TEST_CASE("a reader that soon lets go is waited for", "[capture]") {
  Watched watched;
  watched.captured.add(3);
  REQUIRE(watched.other.ask("SELECT count(*) FROM sample") == "done");
  const auto lets_go = std::async(std::launch::async, [&] { watched.other.ask("let go"); });
  CHECK(finish(watched.captured) == capture::Left::kPlainFile);
}

TEST_CASE("FILE alone has everything when only readers stay that look at nothing older", "[capture]") {
  Watched watched;
  watched.captured.add(3);
  REQUIRE(watched.other.ask("SELECT count(*) FROM sample") == "done");
  watched.captured.add(4);
  CHECK(finish(watched.captured) == capture::Left::kWal);
  fs::copy_file(watched.path, watched.tree / "alone.db");
  CHECK(seen(watched.tree / "alone.db") == "7 ended");
}

TEST_CASE("a removed or truncated -shm ends the capture with a message, and nothing is lost", "[capture]") {
  const std::string removed = after([](const std::string& path) { fs::remove(path + "-shm"); });
  CHECK(removed.ends_with("twtrace.db-shm was changed by another program; 3 cut"));
  const std::string truncated = after([](const std::string& path) { fs::resize_file(path + "-shm", 0); });
  CHECK(truncated.ends_with("twtrace.db-shm was changed by another program; 3 cut"));
}

TEST_CASE("a removed -wal ends the capture with a message, and nothing is lost", "[capture]") {
  const std::string removed = after([](const std::string& path) { fs::remove(path + "-wal"); });
  CHECK(removed.ends_with("twtrace.db-wal was changed by another program; 3 cut"));
  const std::string both = after([](const std::string& path) {
    fs::remove(path + "-wal");
    fs::remove(path + "-shm");
  });
  CHECK(both.ends_with("twtrace.db-wal was changed by another program; 3 cut"));
}

TEST_CASE("a capture that is moved or removed while it is written says so", "[capture]") {
  using Harm = void (*)(const fs::path& directory);
  const auto [name, harm] = GENERATE(table<const char*, Harm>(
      {{"the directory is moved", [](const fs::path& directory) { fs::rename(directory, directory.string() + "2"); }},
       {"the directory is removed", [](const fs::path& directory) { fs::remove_all(directory); }},
       {"the file is moved",
        [](const fs::path& directory) { fs::rename(directory / "twtrace.db", directory / "b.db"); }},
       {"the file is removed", [](const fs::path& directory) { fs::remove(directory / "twtrace.db"); }}}));
  INFO(name);
  const std::string text = in_child([do_harm = harm] {
    const kernel::TempTree tree;
    fs::create_directory(tree / "d");
    Captured captured{1, tree / "d/twtrace.db"};
    captured.add(3);
    if (!captured.writer->in_place()) return std::string("it is not in its place");
    do_harm(tree / "d");
    try {
      captured.add(1);
      captured.finish();
    } catch (const std::exception& error) {
      return error.what() + std::string(captured.writer->in_place() ? "; in its place" : "; elsewhere");
    }
    return std::string("no error");
  });
  CHECK(text.ends_with("/twtrace.db was moved or removed while it was written; elsewhere"));
}

TEST_CASE("a truncated -wal ends the capture, and does not get into the file", "[capture]") {
  const std::uintmax_t size = GENERATE(0U, 32U, 4096U, 20000U);
  const std::string cut = after([&](const std::string& path) { fs::resize_file(path + "-wal", size); });
  INFO(cut);
  CHECK(contains(cut, "which lost the newest samples"));
  CHECK(cut.ends_with("; 1 cut"));  // what FILE itself had
}

TEST_CASE("a checkpoint of somebody else is no harm", "[capture]") {
  Watched watched;
  watched.captured.add(3);
  REQUIRE(watched.other.ask("PRAGMA wal_checkpoint(TRUNCATE)") == "done");
  REQUIRE(watched.other.ask("let go") == "done");
  CHECK(fs::file_size(watched.path + "-wal") == 0);
  watched.captured.add(3);
  REQUIRE(finish(watched.captured) == capture::Left::kPlainFile);
  CHECK(seen(watched.path) == "6 ended");
}

TEST_CASE("a mapped file that is truncated reads as zeroes under a guard", "[capture]") {
  const kernel::TempTree tree;
  tree.file("mapped", std::string(8192, 'x'));
  const auto read_truncated = [&] {
    const base::UniqueFd file(::open((tree / "mapped").c_str(), O_RDWR | O_CLOEXEC));
    const auto* bytes = static_cast<const volatile char*>(::mmap(nullptr, 8192, PROT_READ, MAP_SHARED, file.get(), 0));
    fs::resize_file(tree / "mapped", 0);
    return std::to_string(bytes[0]) + " " + std::to_string(bytes[5000]);
  };
  CHECK(in_child([&] {
          const capture::TruncationGuard guard;
          const std::string text = read_truncated();
          return text + " hits " + std::to_string(capture::TruncationGuard::hits());
        }) == "0 0 hits 2");
  CHECK(in_child([&] {
          std::signal(SIGBUS, SIG_DFL);
          { const capture::TruncationGuard guard; }
          return read_truncated();
        }).empty());  // killed
}

TEST_CASE("a truncated -shm does not end who reads just then", "[capture]") {
  Watched watched;
  watched.captured.add(3);
  Other reader([&](const std::string&) {
    const auto opened = open_capture(watched.path);
    fs::resize_file(watched.path + "-shm", 0);
    static_cast<void>(read_samples(*opened));
    return std::string(capture::TruncationGuard::hits() > 0 ? "alive" : "not hit");
  });
  CHECK(reader.ask("") == "alive");
}
