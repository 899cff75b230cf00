// SPDX-License-Identifier: Apache-2.0
#include "export/textfile.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "unit/kernel/temp_tree.hpp"

using namespace twtrace;
using exporter::Textfile;
using kernel::TempTree;

namespace {

std::string read(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("a file is replaced as a whole, and everybody may read it") {
  const TempTree tree;
  const std::string path = tree / "twtrace.prom";
  const mode_t before = ::umask(077);
  const auto file = Textfile::check(path);
  REQUIRE(file);
  CHECK_FALSE(std::filesystem::exists(path));
  REQUIRE(file->write("one\n"));
  const int reader = ::open(path.c_str(), O_RDONLY);
  std::ofstream(path + ".new") << "left behind by one that was killed";
  REQUIRE(file->write("two\n"));
  ::umask(before);
  char old[4] = {};
  CHECK(::read(reader, old, sizeof(old)) == 4);  // a reader of the earlier file still gets all of it
  CHECK(std::string(old, 4) == "one\n");
  ::close(reader);
  CHECK(read(path) == "two\n");
  struct stat found {};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777U) == 0644U);
  CHECK_FALSE(std::filesystem::exists(path + ".new"));
}

TEST_CASE("only a regular file is replaced") {
  const TempTree tree;
  std::filesystem::create_symlink("/dev/null", tree / "link");
  REQUIRE(::mkfifo((tree / "fifo").c_str(), 0600) == 0);
  const std::vector<std::string> paths = {"", "-", tree / "", "/dev/null", tree / "link", tree / "fifo"};
  for (const std::string& path : paths) {
    const auto file = Textfile::check(path);
    INFO(path);
    REQUIRE_FALSE(file);
    CHECK(file.error().code == base::ErrorCode::kUsage);
  }
  CHECK(Textfile::check(tree / "no/such/x.prom").error().code == base::ErrorCode::kNotFound);
}

TEST_CASE("a failed write leaves the earlier contents, and the next one may work") {
  const TempTree tree;
  std::filesystem::create_directory(tree / "d");
  const auto file = Textfile::check(tree / "d/x.prom");
  REQUIRE(file);
  std::filesystem::rename(tree / "d", tree / "e");
  const auto failed = file->write("one\n");
  REQUIRE_FALSE(failed);
  CHECK_FALSE(failed.error().hint.empty());
  std::filesystem::rename(tree / "e", tree / "d");
  REQUIRE(file->write("two\n"));
  CHECK(read(tree / "d/x.prom") == "two\n");
}
