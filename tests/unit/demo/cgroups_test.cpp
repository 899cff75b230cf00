// SPDX-License-Identifier: Apache-2.0
// For making and removing cgroups, any directory will do as a hierarchy.
#include "demo/cgroups.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "support/catch.hpp"

using namespace twtrace;
namespace fs = std::filesystem;

namespace {

const std::vector<std::string> kServices = {"web.service", "queue.service"};

class TempDirectory {
 public:
  TempDirectory() {
    std::string name = (fs::temp_directory_path() / "twtrace-unit-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  ~TempDirectory() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// The pid of a process that has ended. No other process gets it during a test, because the kernel gives out all other
/// pids first.
pid_t dead_pid() {
  const pid_t pid = fork();
  if (pid == 0) _exit(0);
  waitpid(pid, nullptr, 0);
  return pid;
}

fs::path make_demo(const fs::path& mount, pid_t pid) {
  const fs::path parent = mount / ("twtrace-demo-" + std::to_string(pid));
  for (const std::string& service : kServices) fs::create_directories(parent / service);
  return parent;
}

}  // namespace

TEST_CASE("which directories are a demo's") {
  CHECK(demo::pid_of_directory("twtrace-demo-812") == 812);
  for (const char* other : {"twtrace-demo-", "twtrace-demo-0", "twtrace-demo--1", "twtrace-demo-1x", "twtrace-test-1",
                            "twtrace-demo-99999999999", "xtwtrace-demo-1", ""}) {
    CHECK_FALSE(demo::pid_of_directory(other));
  }
}

TEST_CASE("cgroups are made, and go away with their owner") {
  const TempDirectory mount;
  const fs::path parent = mount.path() / "twtrace-demo-812";
  {
    auto made = demo::Cgroups::create(mount.path(), 812, kServices);
    REQUIRE(made);
    const demo::Cgroups owner = std::move(*made);
    CHECK(owner.path("web.service") == parent / "web.service");
    for (const std::string& service : kServices) CHECK(fs::is_directory(parent / service));
  }
  CHECK(fs::is_empty(mount.path()));
}

TEST_CASE("a failure halfway leaves nothing behind") {
  const TempDirectory mount;
  CHECK_FALSE(demo::Cgroups::create(mount.path(), 812, {"web.service", "no/such/parent"}));
  CHECK(fs::is_empty(mount.path()));
  CHECK_FALSE(demo::Cgroups::create(mount.path() / "missing", 812, kServices));
}

TEST_CASE("an existing directory is never taken over") {
  const TempDirectory mount;
  const fs::path parent = make_demo(mount.path(), 812);
  CHECK_FALSE(demo::Cgroups::create(mount.path(), 812, kServices));
  CHECK(fs::is_directory(parent / "web.service"));
}

TEST_CASE("what a killed demo left is removed") {
  const TempDirectory mount;
  const fs::path stale = make_demo(mount.path(), dead_pid());
  const fs::path own = make_demo(mount.path(), getpid());
  demo::Cgroups::remove_stale(mount.path(), getpid(), kServices);
  CHECK_FALSE(fs::exists(stale));
  CHECK_FALSE(fs::exists(own));
}

TEST_CASE("what is not certainly stale stays") {
  const TempDirectory mount;
  const fs::path living = make_demo(mount.path(), getppid());
  const fs::path foreign = mount.path() / "system.slice";
  fs::create_directory(foreign);
  const fs::path in_use = make_demo(mount.path(), dead_pid());
  std::ofstream(in_use / "web.service" / "busy") << "x";
  const fs::path with_stranger = make_demo(mount.path(), dead_pid());
  fs::create_directory(with_stranger / "not-ours");
  demo::Cgroups::remove_stale(mount.path(), getpid(), kServices);
  CHECK(fs::is_directory(living / "queue.service"));
  CHECK(fs::is_directory(foreign));
  CHECK(fs::is_directory(in_use / "web.service"));
  CHECK(fs::is_directory(with_stranger / "not-ours"));
}
