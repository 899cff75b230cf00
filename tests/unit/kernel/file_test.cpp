// SPDX-License-Identifier: Apache-2.0
#include "kernel/file.hpp"

#include <sys/stat.h>

#include "support/catch.hpp"
#include "temp_tree.hpp"

using namespace twtrace::kernel;
using twtrace::base::ErrorCode;

TEST_CASE("read_file returns every byte, across chunks") {
  const TempTree tree;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{16 * 1024}, std::size_t{50'001}}) {
    std::string text(size, 'x');
    if (size > 0) text.back() = '\0';
    tree.file("f", text);
    CHECK(read_file(tree / "f").value() == text);
  }
}

TEST_CASE("read_file reads proc files, whose size is 0") {
  REQUIRE(std::filesystem::file_size("/proc/self/stat") == 0);
  CHECK_FALSE(read_file("/proc/self/stat").value().empty());
}

TEST_CASE("a missing file, a missing directory and a file in the way are not found") {
  const TempTree tree;
  tree.file("f", "");
  for (const char* path : {"nothing", "nothing/f", "f/below"}) {
    const auto text = read_file(tree / path);
    REQUIRE_FALSE(text);
    CHECK(text.error().code == ErrorCode::kNotFound);
    CHECK(text.error().what.find(path) != std::string::npos);
  }
  CHECK(read_file(tree.root()).error().sys_errno == EISDIR);
  CHECK(fail_path(ESRCH, "/proc/1/stat").value().code == ErrorCode::kNotFound);
  CHECK(fail_path(EACCES, "/proc/1/stat").value().code == ErrorCode::kPermission);
}

TEST_CASE("read_regular_file opens nothing but files, and reads no more than it may") {
  const TempTree tree;
  tree.file("f", std::string(1000, 'x'));
  tree.link("link", "f");
  CHECK(read_regular_file(tree / "f", 1000).value() == std::string(1000, 'x'));
  CHECK(read_regular_file(tree / "link", 1000).value().size() == 1000);
  CHECK(read_regular_file(tree / "f", 999).error().code == ErrorCode::kInvalid);
  CHECK(read_regular_file(tree / "nothing", 1).error().code == ErrorCode::kNotFound);
  CHECK(read_regular_file(tree.root(), 1).error().code == ErrorCode::kInvalid);
  REQUIRE(::mkfifo((tree / "fifo").c_str(), 0600) == 0);
  CHECK(read_regular_file(tree / "fifo", 1).error().code == ErrorCode::kInvalid);  // an open() would wait for a writer
  CHECK(read_regular_file("/dev/zero", 1).error().code == ErrorCode::kInvalid);
}

TEST_CASE("read_link gives the target of links that lead nowhere") {
  const TempTree tree;
  tree.link("net", "net:[42]");
  CHECK(read_link(tree / "net").value() == "net:[42]");
  CHECK(read_link(tree / "other").error().code == ErrorCode::kNotFound);
}
