// SPDX-License-Identifier: Apache-2.0
#include "kernel/netns.hpp"

#include <sys/stat.h>

#include "support/catch.hpp"
#include "temp_tree.hpp"

using namespace twtrace::kernel;
using twtrace::base::ErrorCode;

namespace {

std::uint32_t own_inum() {
  struct stat status {};
  REQUIRE(::stat("/proc/self/ns/net", &status) == 0);
  return static_cast<std::uint32_t>(status.st_ino);
}

// A host: pid 1 and this process are in namespace 100, other pids as given.
struct Host {
  TempTree tree;

  Host() {
    process("1", 100, 1);
    process("self", 100, 1);
    tree.file("self/mountinfo", "");
  }
  void process(const std::string& pid, unsigned net, unsigned mnt) const {
    tree.link(pid + "/ns/net", "net:[" + std::to_string(net) + "]");
    tree.link(pid + "/ns/mnt", "mnt:[" + std::to_string(mnt) + "]");
  }
  static std::string nsfs(unsigned inum, const std::string& mount_point) {
    return "9 8 0:4 net:[" + std::to_string(inum) + "] " + mount_point + " rw shared:5 - nsfs nsfs rw\n";
  }
  std::string path(const std::string& relative) const { return (tree / relative).string(); }
  NetnsCatalog catalog(NetnsSearch search = {}) const {
    NetnsCatalog found{Procfs(tree.root())};
    found.refresh(search);
    return found;
  }
};

}  // namespace

TEST_CASE("parse_namespace_link") {
  CHECK(parse_namespace_link("net:[4026531840]", "net") == 4026531840U);
  for (const char* link :
       {"", "net", "net:[]", "net:[", "mnt:[1]", "net:[1", "net:1]", "net:[x]", "net:[4294967296]", "]"}) {
    CAPTURE(link);
    CHECK_FALSE(parse_namespace_link(link, "net"));
  }
}

TEST_CASE("the namespace of pid 1 is the host's, ours is not when we are elsewhere") {
  const Host host;
  host.process("self", 200, 1);
  host.process("7", 200, 1);
  const auto catalog = host.catalog();
  REQUIRE(catalog.all().size() == 2);
  CHECK(*catalog.find(100) == NetnsRef{100, "host", 1, host.path("1/ns/net")});
  CHECK(catalog.find(200)->name.empty());
  CHECK(catalog.find(200)->pid == 7U);
  CHECK(catalog.find(300) == nullptr);
}

TEST_CASE("in a container that has its own pid 1, that one's namespace is not the host's") {
  const Host host;
  host.tree.link("self/ns/pid", "pid:[4026532500]");
  CHECK(host.catalog().find(100)->name.empty());
  host.tree.link("self/ns/pid", "pid:[4026531836]");
  CHECK(host.catalog().find(100)->name == "host");
}

TEST_CASE("our namespace is the host's when pid 1 cannot be asked") {
  const Host host;
  host.tree.remove("1");
  CHECK(host.catalog().find(100)->name == "host");
}

TEST_CASE("namespaces of processes are reached through the lowest pid") {
  const Host host;
  host.process("30", 200, 1);
  host.process("4", 200, 1);
  host.process("31", 201, 1);
  const auto catalog = host.catalog();
  CHECK(*catalog.find(200) == NetnsRef{200, "", 4, host.path("4/ns/net")});
  CHECK(*catalog.find(201) == NetnsRef{201, "", 31, host.path("31/ns/net")});
}

TEST_CASE("what all() gave outlives a refresh that finds a namespace gone") {
  const Host host;
  host.process("30", 200, 1);
  auto catalog = host.catalog();
  const auto& before = catalog.all();
  host.tree.remove("30");
  catalog.refresh();
  CHECK(catalog.all().size() == 1);
  REQUIRE(before.size() == 2);
  CHECK(before.at(200).path == host.path("30/ns/net"));
}

TEST_CASE("mounts give names and the lasting way in") {
  const Host host;
  host.process("30", 200, 1);
  host.tree.file("self/mountinfo",
                 Host::nsfs(200, "/run/netns/blue\\040one") + Host::nsfs(201, "/run/docker/netns/ab12") +
                     Host::nsfs(202, "/srv/pinned") + Host::nsfs(100, "/run/docker/netns/default") +
                     Host::nsfs(203, "/run/netns/host") + "9 8 0:4 mnt:[204] /run/x rw - nsfs nsfs rw\n" +
                     "9 8 0:4 net:[205] /run/netns/fake rw - tmpfs tmpfs rw\n");
  const auto catalog = host.catalog();
  CHECK(*catalog.find(200) == NetnsRef{200, "blue one", 30, "/run/netns/blue one"});
  CHECK(*catalog.find(201) == NetnsRef{201, "ab12", {}, "/run/docker/netns/ab12"});
  CHECK(*catalog.find(202) == NetnsRef{202, "", {}, "/srv/pinned"});
  CHECK(catalog.find(100)->name == "host");
  CHECK(catalog.find(203)->name.empty());  // the name is taken
  CHECK(catalog.find(204) == nullptr);
  CHECK(catalog.find(205) == nullptr);
}

TEST_CASE("names that engines make up are told from names that people give") {
  const std::string uuid = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";
  for (const std::string& name : {std::string("f26f355f13b4"), uuid, "cni-" + uuid, "netns-" + uuid}) {
    CHECK(named_by_engine(name));
  }
  for (const std::string& name :
       {std::string(), std::string("blue"), std::string("default"), std::string("f26f355f13b"),
        std::string("f26f355f13bx"), std::string("cni-blue"), "web-" + uuid, uuid + "0", uuid.substr(1) + "g"}) {
    CHECK_FALSE(named_by_engine(name));
  }
}

TEST_CASE("other mount namespaces are searched, their names are not believed") {
  const Host host;
  host.process("50", 100, 2);
  host.process("51", 100, 2);
  host.tree.file("50/mountinfo", Host::nsfs(200, "/run/netns/blue") + Host::nsfs(201, "/run/netns/admin"));
  host.tree.file("51/mountinfo", Host::nsfs(299, "/run/netns/twice"));
  host.tree.file("self/mountinfo", Host::nsfs(201, "/run/netns/ours"));
  const auto catalog = host.catalog();
  CHECK(*catalog.find(200) == NetnsRef{200, "", {}, host.path("50/root/run/netns/blue")});
  CHECK(*catalog.find(201) == NetnsRef{201, "ours", {}, "/run/netns/ours"});
  CHECK(catalog.find(299) == nullptr);  // one process is enough for its mount namespace
  CHECK(host.catalog({.mount_namespaces = false}).find(200) == nullptr);
}

TEST_CASE("pid 1's mounts name namespaces when we see the host from a container") {
  const Host host;
  host.process("self", 100, 7);
  host.tree.file("1/mountinfo", Host::nsfs(200, "/run/netns/blue"));
  CHECK(*host.catalog().find(200) == NetnsRef{200, "blue", {}, host.path("1/root/run/netns/blue")});
}

TEST_CASE("namespaces held by a descriptor are found when asked for") {
  const Host host;
  host.process("60", 100, 1);
  host.tree.link("60/fd/3", "net:[200]");
  host.tree.link("60/fd/4", "socket:[201]");
  CHECK(host.catalog().find(200) == nullptr);
  const auto catalog = host.catalog({.open_files = true});
  CHECK(*catalog.find(200) == NetnsRef{200, "", {}, host.path("60/fd/3")});
  CHECK(catalog.find(201) == nullptr);
}

TEST_CASE("what only a descriptor leads to is kept while that does, without looking at all of them again") {
  const Host host;
  host.process("60", 100, 1);
  host.tree.link("60/fd/3", "net:[200]");
  auto catalog = host.catalog({.open_files = true});
  catalog.refresh();
  REQUIRE(catalog.find(200) != nullptr);
  CHECK(*catalog.find(200) == NetnsRef{200, "", {}, host.path("60/fd/3")});
  SECTION("it is closed") { host.tree.remove("60/fd/3"); }
  SECTION("its number is another file's") {
    host.tree.remove("60/fd/3");
    host.tree.link("60/fd/3", "net:[201]");
  }
  catalog.refresh();
  CHECK(catalog.find(200) == nullptr);
  CHECK(catalog.find(201) == nullptr);
}

TEST_CASE("refresh forgets what is gone") {
  const Host host;
  host.process("30", 200, 1);
  auto catalog = host.catalog();
  REQUIRE(catalog.find(200));
  host.tree.remove("30");
  catalog.refresh();
  CHECK(catalog.find(200) == nullptr);
}

TEST_CASE("resolve takes self, a number, a name") {
  const Host host;
  host.process("self", 200, 1);
  host.tree.file("self/mountinfo", Host::nsfs(201, "/run/netns/blue") + Host::nsfs(202, "/run/netns/12"));
  const auto catalog = host.catalog();
  CHECK(catalog.resolve("self")->inum == 200);
  CHECK(catalog.resolve("100")->name == "host");
  CHECK(catalog.resolve("host")->inum == 100);
  CHECK(catalog.resolve("blue")->inum == 201);
  CHECK(catalog.resolve("12")->inum == 202);
  for (const char* spec : {"", "999", "blu", "all"}) CHECK(catalog.resolve(spec).error().code == ErrorCode::kNotFound);
}

TEST_CASE("resolve takes a path, if it is a network namespace") {
  const TempTree tree;
  tree.file("file", "x");
  tree.link("link", "/proc/self/ns/net");
  REQUIRE(::mkfifo((tree / "fifo").c_str(), 0600) == 0);
  const NetnsCatalog empty;
  CHECK(empty.resolve("/proc/self/ns/net")->inum == own_inum());
  CHECK(empty.resolve((tree / "link").string())->path == (tree / "link").string());
  CHECK(empty.resolve("/proc/self/ns/mnt").error().code == ErrorCode::kUsage);
  CHECK(empty.resolve((tree / "file").string()).error().code == ErrorCode::kUsage);
  CHECK(empty.resolve((tree / "fifo").string()).error().code == ErrorCode::kUsage);
  CHECK(empty.resolve((tree / "nothing").string()).error().code == ErrorCode::kNotFound);
}

TEST_CASE("the running machine's catalog holds our own namespace") {
  NetnsCatalog catalog;
  catalog.refresh();
  REQUIRE(catalog.find(own_inum()));
  CHECK(catalog.resolve("self")->inum == own_inum());
}
