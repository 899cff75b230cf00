// SPDX-License-Identifier: Apache-2.0
#include "logs/followed_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "../kernel/temp_tree.hpp"
#include "support/catch.hpp"

using namespace twtrace;
using namespace twtrace::logs;

namespace {

using Lines = std::vector<std::string>;

/// A file, who writes it, and who follows it.
struct Scene {
  kernel::TempTree tree;
  std::string path = tree / "app.log";
  FollowedFile followed{path};
  std::uint64_t now_ns = 1;

  static void write(const std::string& to, const std::string& text, std::ios::openmode mode = std::ios::app) {
    std::ofstream(to, mode | std::ios::binary) << text;
  }
  void write(const std::string& text) const { write(path, text); }
  Lines look() {
    Lines lines;
    followed.look(++now_ns, [&](std::string_view line) { lines.emplace_back(line); });
    return lines;
  }
  Lines finish() {
    Lines lines;
    followed.finish([&](std::string_view line) { lines.emplace_back(line); });
    return lines;
  }
};

}  // namespace

TEST_CASE("only what is written after the beginning counts") {
  Scene scene;
  scene.write("old\nhalf");
  scene.followed.begin();
  CHECK(scene.look().empty());
  scene.write(" rest\nnew\nunfini");
  CHECK(scene.look() == Lines{" rest", "new"});
  scene.write("shed\nlast");
  CHECK(scene.look() == Lines{"unfinished"});
  CHECK(scene.finish() == Lines{"last"});
  CHECK(scene.followed.gaps() == model::LogGaps{});
}

TEST_CASE("a file that comes later is read from its beginning") {
  Scene scene;
  scene.followed.begin();
  CHECK(scene.look().empty());
  CHECK(scene.followed.why_unreadable().empty());
  CHECK(scene.followed.gaps().problem == "it did not appear during the capture");
  scene.write("one\ntwo\n");
  CHECK(scene.look() == Lines{"one", "two"});
  CHECK(scene.followed.gaps().problem.empty());
  std::filesystem::remove(scene.path);
  CHECK(scene.look().empty());
  CHECK(scene.followed.gaps().problem.empty());  // it did exist
}

TEST_CASE("a file that was renamed is read to its end, and so is the next one") {
  Scene scene;
  scene.write("old\n");
  scene.followed.begin();
  scene.write("1\n");
  std::filesystem::rename(scene.path, scene.path + ".1");
  scene.write("2\n");
  CHECK(scene.look() == Lines{"1", "2"});
  // A program writes on until somebody tells it of the new file.
  scene.write(scene.path + ".1", "late\n");
  scene.write("3\n");
  CHECK(scene.look() == Lines{"late", "3"});
  std::filesystem::rename(scene.path + ".1", scene.path);  // and back
  scene.write("again\n");
  CHECK(scene.look() == Lines{"again"});
}

TEST_CASE("a file without a name is closed when nobody has written to it for a while") {
  Scene scene;
  scene.write("old\n");
  scene.followed.begin();
  std::filesystem::rename(scene.path, scene.path + ".1");
  scene.write(scene.path + ".1", "half");
  CHECK(scene.look().empty());
  scene.now_ns += kNamelessPatienceNs;
  scene.write(scene.path + ".1", " of it");
  CHECK(scene.look().empty());
  scene.now_ns += kNamelessPatienceNs;
  CHECK(scene.look() == Lines{"half of it"});
  scene.write(scene.path + ".1", "\nnobody reads this\n");
  CHECK(scene.look().empty());
}

TEST_CASE("many rotations keep few files open") {
  Scene scene;
  scene.followed.begin();
  for (int i = 0; i < 10; ++i) {
    scene.write("x\n");
    CHECK(scene.look() == Lines{"x"});
    std::filesystem::rename(scene.path, scene.path + std::to_string(i));
  }
  CHECK(scene.look().empty());
  for (int i = 0; i < 10; ++i) scene.write(scene.path + std::to_string(i), std::to_string(i) + "\n");
  CHECK(scene.look() == Lines{"7", "8", "9"});
}

TEST_CASE("a file that is cut short is read from its beginning") {
  Scene scene;
  scene.write("old line\n");
  scene.followed.begin();
  scene.write("one\nhalf");
  CHECK(scene.look() == Lines{"one"});
  std::filesystem::resize_file(scene.path, 0);
  scene.write("2\n");
  CHECK(scene.look() == Lines{"half", "2"});
  // It has grown beyond the place where it was, before anybody looked.
  scene.write(scene.path, "three\nfour\nfive\n", std::ios::trunc);
  CHECK(scene.look() == Lines{"three", "four", "five"});
}

TEST_CASE("a program that does not append leaves a hole behind, which is passed over") {
  Scene scene;
  scene.followed.begin();
  const off_t far = (off_t{1} << 40) + 4000;  // reading zeroes up to there would take minutes
  std::ofstream writer(scene.path, std::ios::binary);
  writer.seekp(far);
  writer << "after the hole\n" << std::flush;
  CHECK(scene.look() == Lines{"after the hole"});
  writer << "next\n" << std::flush;
  CHECK(scene.look() == Lines{"next"});
  CHECK(scene.followed.gaps() == model::LogGaps{});
}

TEST_CASE("a file that grows too fast is skipped in part, and the bytes are counted") {
  Scene scene;
  scene.write("");
  scene.followed.begin();
  const std::string line(1023, 'x');
  std::string lines;
  for (int i = 0; i < 1024; ++i) lines += line + "\n";  // 1 MiB
  for (std::uint64_t i = 0; i < (kMostAhead >> 20U) + 3; ++i) scene.write(lines);
  scene.write("end\n");
  CHECK(scene.look().size() == kMostPerLook / 1024);
  CHECK(scene.followed.gaps().skipped_bytes == (3U << 20U) + 4);
  std::size_t rest = 0;
  for (Lines more = scene.look(); !more.empty(); more = scene.look()) rest += more.size();
  CHECK(rest + kMostPerLook / 1024 == (kMostAhead >> 10U) + 1);  // the first line has lost its beginning
  CHECK(scene.followed.gaps().skipped_bytes == (3U << 20U) + 4);
  for (int i = 0; i < 3; ++i) scene.write(lines);
  CHECK(scene.look().size() == kMostPerLook / 1024);
  CHECK(scene.finish().empty());
  CHECK(scene.followed.gaps().skipped_bytes == (4U << 20U) + 4);
}

TEST_CASE("what takes the name but is no regular file is not read") {
  Scene scene;
  scene.write("old\n");
  scene.followed.begin();
  std::filesystem::remove(scene.path);
  REQUIRE(::mkfifo(scene.path.c_str(), 0600) == 0);
  CHECK(scene.look().empty());
  CHECK(scene.followed.gaps().problem == "it is not a regular file");
  std::filesystem::remove(scene.path);
  scene.write("1\n");
  CHECK(scene.look() == Lines{"1"});
  CHECK(scene.followed.gaps().problem.empty());
}

TEST_CASE("a path that cannot be looked at says why") {
  const kernel::TempTree tree;
  tree.file("plain", "");
  FollowedFile followed(tree / "plain/app.log");
  followed.begin();
  CHECK(followed.why_unreadable() == "Not a directory");
  CHECK(followed.gaps().problem == "Not a directory");
}

TEST_CASE("a file that is followed under another name is not read, whenever it gets this one") {
  Scene scene;
  const std::string link = scene.tree / "link.log";
  FollowedFile second{link};
  const auto elsewhere = [&](const struct stat& file) {
    return scene.followed.follows(file) ? &scene.followed.path() : nullptr;
  };
  const auto look_second = [&] {
    Lines lines;
    second.look(
        ++scene.now_ns, [&](std::string_view line) { lines.emplace_back(line); }, elsewhere);
    return lines;
  };
  scene.followed.begin();
  second.begin(elsewhere);
  std::filesystem::create_symlink(scene.path, link);
  scene.write("a\n");
  CHECK(scene.look() == Lines{"a"});
  CHECK(look_second().empty());
  CHECK(second.gaps().problem == "it is the same file as " + scene.path + ", where its lines count");
  // A rotation gives it the other name, and the next file gets its own.
  std::filesystem::remove(link);
  std::filesystem::rename(scene.path, link);
  scene.write("b\n");
  CHECK(scene.look() == Lines{"b"});
  CHECK(look_second().empty());
  // Once the other has closed it, it still is not read from its beginning.
  scene.now_ns += kNamelessPatienceNs + 1;
  CHECK(scene.look().empty());
  CHECK(look_second().empty());
  CHECK(!second.gaps().problem.empty());
  // Another file with the name is.
  std::filesystem::remove(link);
  scene.write(link, "c\n");
  CHECK(look_second() == Lines{"c"});
  CHECK(second.gaps() == model::LogGaps{});
}
