// SPDX-License-Identifier: Apache-2.0
#include "kernel/cgroup_fs.hpp"

#include <sys/stat.h>

#include "support/catch.hpp"
#include "temp_tree.hpp"

using namespace twtrace::kernel;
using twtrace::base::ErrorCode;

namespace {

constexpr const char* kV2 = "41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
constexpr const char* kUnified = "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
constexpr const char* kV1 = "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n";
constexpr const char* kMemory = "35 31 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";

// A machine as a directory. proc/ has mountinfo, and the mount points are in the same directory.
struct Machine {
  TempTree tree;

  CgroupFs open(const std::string& mountinfo, const std::string& init = "0::/\n") const {
    tree.directory("sys/fs/cgroup/unified");
    tree.directory("sys/fs/cgroup/systemd");
    tree.file("proc/self/mountinfo", mountinfo);
    tree.file("proc/1/cgroup", init);
    return CgroupFs::open(Procfs(tree / "proc"), tree.root()).value();
  }
  std::uint64_t inode(const std::string& relative) const {
    struct stat status {};
    REQUIRE(::stat((tree / relative).c_str(), &status) == 0);
    return status.st_ino;
  }
};

}  // namespace

TEST_CASE("a host with one hierarchy uses it") {
  const Machine machine;
  CHECK(machine.open(std::string(kV2) + kMemory).choose() == HierarchyChoice::kV2);
  CHECK(machine.open(std::string(kV1) + kMemory).choose() == HierarchyChoice::kV1Systemd);
  const auto none = machine.open(kMemory);
  CHECK(none.choose() == HierarchyChoice::kNone);
  CHECK(none.tree() == nullptr);
  CHECK(none.path_of_id(1).error().code == ErrorCode::kUnsupported);
  CHECK(none.id_of_path("/").error().code == ErrorCode::kUnsupported);
}

TEST_CASE("a hybrid host uses v2, which systemd fills as well") {
  const Machine machine;
  machine.tree.directory("sys/fs/cgroup/unified/system.slice");
  machine.tree.directory("sys/fs/cgroup/systemd/system.slice");
  const auto fs = machine.open(std::string(kV1) + kUnified, "1:name=systemd:/init.scope\n0::/init.scope\n");
  CHECK(fs.choose() == HierarchyChoice::kV2);
  CHECK(fs.tree()->mount_point() == machine.tree / "sys/fs/cgroup/unified");
}

TEST_CASE("a v1 host whose v2 tree systemd leaves alone uses v1") {
  const Machine machine;
  const std::string mounts = std::string(kV1) + kUnified;
  CHECK(machine.open(mounts, "1:name=systemd:/init.scope\n0::/\n").choose() == HierarchyChoice::kV1Systemd);
  machine.tree.directory("sys/fs/cgroup/systemd/system.slice");
  CHECK(machine.open(mounts).choose() == HierarchyChoice::kV1Systemd);
  machine.tree.directory("sys/fs/cgroup/unified/other-tool");  // another tool's cgroup; pid 1 is still in v1
  CHECK(machine.open(mounts, "1:name=systemd:/init.scope\n0::/\n").choose() == HierarchyChoice::kV1Systemd);
}

TEST_CASE("a machine without systemd uses v2, empty or not") {
  const Machine machine;
  const std::string mounts = std::string(kV1) + kUnified;
  CHECK(machine.open(mounts, "9:name=systemd:/\n0::/\n").choose() == HierarchyChoice::kV2);
  machine.tree.directory("sys/fs/cgroup/unified/mine");
  CHECK(machine.open(mounts, "9:name=systemd:/\n0::/\n").choose() == HierarchyChoice::kV2);
}

TEST_CASE("ids and paths are each other's inverse") {
  const Machine machine;
  const std::string odd = "a b (deleted)";
  for (const std::string& name : {std::string("system.slice/web.service"), odd, std::string("x/y/z")}) {
    machine.tree.directory("sys/fs/cgroup/" + name);
  }
  const auto fs = machine.open(kV2);
  for (const std::string& path : {std::string("/"), std::string("/system.slice/web.service"), "/" + odd,
                                  std::string("/x/y/z"), std::string("/x")}) {
    const auto id = fs.id_of_path(path);
    REQUIRE(id);
    CHECK(*id == machine.inode("sys/fs/cgroup" + path));
    CHECK(fs.path_of_id(*id).value() == path);
  }
  CHECK(fs.id_of_path("/x/").value() == fs.id_of_path("/x").value());
  CHECK(fs.id_of_path("/nothing").error().code == ErrorCode::kNotFound);
}

TEST_CASE("some process of a cgroup") {
  const Machine machine;
  machine.tree.file("sys/fs/cgroup/a/cgroup.procs", "4021\n7\n");
  machine.tree.file("sys/fs/cgroup/empty/cgroup.procs", "");
  machine.tree.file("sys/fs/cgroup/foreign/cgroup.procs", "0\n0\n");
  const auto fs = machine.open(kV2);
  CHECK(fs.process_in("/a") == 4021U);
  CHECK(fs.process_in("/a/") == 4021U);
  for (const char* path : {"/empty", "/foreign", "/nothing", "/"}) CHECK_FALSE(fs.process_in(path));
  CHECK_FALSE(machine.open(kMemory).process_in("/a"));
  const auto part = machine.open("41 31 0:38 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  CHECK(part.process_in("/docker/abc/a") == 4021U);
  CHECK_FALSE(part.process_in("/a"));
}

TEST_CASE("a removed cgroup is not found, and links and files are no cgroups") {
  const Machine machine;
  machine.tree.directory("sys/fs/cgroup/gone");
  machine.tree.file("sys/fs/cgroup/cgroup.procs", "");
  machine.tree.directory("elsewhere/target");
  machine.tree.link("sys/fs/cgroup/link", (machine.tree / "elsewhere").string());
  const auto fs = machine.open(kV2);
  const auto file = machine.inode("sys/fs/cgroup/cgroup.procs");
  const auto behind_link = machine.inode("elsewhere/target");
  const auto gone = machine.inode("sys/fs/cgroup/gone");
  CHECK(fs.path_of_id(gone).value() == "/gone");
  machine.tree.remove("sys/fs/cgroup/gone");
  for (const auto id : {gone, file, behind_link}) CHECK(fs.path_of_id(id).error().code == ErrorCode::kNotFound);
}

TEST_CASE("a mount of a part of the hierarchy keeps the hierarchy's paths") {
  const Machine machine;
  machine.tree.directory("sys/fs/cgroup/inner");
  const auto fs = machine.open("41 31 0:38 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  const auto id = machine.inode("sys/fs/cgroup/inner");
  CHECK(fs.path_of_id(id).value() == "/docker/abc/inner");
  CHECK(fs.path_of_id(machine.inode("sys/fs/cgroup")).value() == "/docker/abc");
  CHECK(fs.id_of_path("/docker/abc/inner").value() == id);
  CHECK(fs.id_of_path("/docker/abc").value() == machine.inode("sys/fs/cgroup"));
  for (const char* outside : {"/", "/inner", "/docker", "/docker/abcd"}) {
    CHECK(fs.id_of_path(outside).error().code == ErrorCode::kNotFound);
  }
}

TEST_CASE("the mount of the whole hierarchy is preferred to that of a part") {
  const Machine machine;
  const std::string part = "50 31 0:38 /part /somewhere rw - cgroup2 cgroup2 rw\n";
  CHECK(machine.open(part + kV2).tree()->mount_point() == machine.tree / "sys/fs/cgroup");
  CHECK(machine.open(kV2 + part).tree()->mount_point() == machine.tree / "sys/fs/cgroup");
}

TEST_CASE("without mountinfo there is an error to show") {
  const TempTree tree;
  CHECK(CgroupFs::open(Procfs(tree.root())).error().code == ErrorCode::kNotFound);
}
