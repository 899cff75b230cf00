// SPDX-License-Identifier: Apache-2.0
#include "kernel/memory_room.hpp"

#include "support/catch.hpp"
#include "temp_tree.hpp"

using namespace twtrace::kernel;

namespace {

constexpr std::uint64_t kMiB = 1U << 20U;

std::string mib(std::uint64_t count) { return std::to_string(count * kMiB) + "\n"; }

/// The /proc and the cgroup file systems of a host, in a directory.
class Host {
 public:
  Host(const std::string& mountinfo, const std::string& cgroup) {
    tree_.file("proc/self/mountinfo", mountinfo);
    tree_.file("proc/self/cgroup", cgroup);
  }
  void v2(const std::string& directory, const std::string& limit, std::uint64_t used_mib,
          const std::string& stat = "") const {
    tree_.file("sys/fs/cgroup" + directory + "/memory.max", limit);
    tree_.file("sys/fs/cgroup" + directory + "/memory.current", mib(used_mib));
    tree_.file("sys/fs/cgroup" + directory + "/memory.stat", stat);
  }
  std::optional<MemoryRoom> room() const { return memory_room(Procfs(tree_ / "proc"), tree_.root()); }
  std::string file(const std::string& name) const { return tree_ / ("sys/fs/cgroup" + name); }
  const TempTree& tree() const { return tree_; }

 private:
  TempTree tree_;
};

const std::string kV2Mount = "30 24 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n";

}  // namespace

TEST_CASE("the tightest limit of the cgroup and of those above it counts") {
  const Host host(kV2Mount, "0::/app.slice/twtrace.service\n");
  CHECK_FALSE(host.room());  // no memory controller at all
  host.v2("/app.slice/twtrace.service", "max\n", 10);
  CHECK_FALSE(host.room());
  host.v2("/app.slice", mib(100), 70);
  CHECK(host.room() == MemoryRoom{host.file("/app.slice/memory.max"), 100 * kMiB, 30 * kMiB});
  host.v2("/app.slice/twtrace.service", mib(50), 30);
  CHECK(host.room() == MemoryRoom{host.file("/app.slice/twtrace.service/memory.max"), 50 * kMiB, 20 * kMiB});
}

TEST_CASE("page cache counts as free, and more than the limit in use leaves nothing") {
  const Host host(kV2Mount, "0::/x\n");
  host.v2("/x", mib(64), 60, "anon 1000\nfile 41943040\nactive_file 20971520\ninactive_file 10485760\n");
  CHECK(host.room()->free == 34 * kMiB);
  host.v2("/x", mib(64), 70);
  CHECK(host.room()->free == 0);
}

TEST_CASE("in a container its own cgroup is the root of what is mounted") {
  const Host host("30 24 0:27 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n", "0::/\n");
  host.v2("", mib(64), 4);
  CHECK(host.room() == MemoryRoom{host.file("/memory.max"), 64 * kMiB, 60 * kMiB});
}

TEST_CASE("a mount that shows a part of the hierarchy is left out of the path") {
  const Host host("30 24 0:27 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n", "0::/docker/abc/inner\n");
  host.v2("/inner", mib(64), 4);
  CHECK(host.room()->free == 60 * kMiB);
}

TEST_CASE("v1 has files of its own, and a number for no limit") {
  const Host host("31 24 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n" + kV2Mount,
                  "9:name=systemd:/\n4:memory:/a\n0::/elsewhere\n");
  const auto v1 = [&host](const std::string& directory, const std::string& limit, const std::string& stat) {
    host.tree().file("sys/fs/cgroup/memory" + directory + "/memory.limit_in_bytes", limit);
    host.tree().file("sys/fs/cgroup/memory" + directory + "/memory.usage_in_bytes", mib(20));
    host.tree().file("sys/fs/cgroup/memory" + directory + "/memory.stat", stat);
  };
  v1("/a", "9223372036854771712\n", "");
  CHECK_FALSE(host.room());
  v1("/a", mib(64), "inactive_file 1\ntotal_inactive_file 1048576\ntotal_active_file 1048576\n");
  CHECK(host.room() == MemoryRoom{host.file("/memory/a/memory.limit_in_bytes"), 64 * kMiB, 46 * kMiB});
}

TEST_CASE("what cannot be read is no limit") {
  const TempTree empty;
  CHECK_FALSE(memory_room(Procfs(empty / "proc"), empty.root()));
  const Host host(kV2Mount, "0::/x\n");
  host.v2("/x", "nonsense\n", 4);
  CHECK_FALSE(host.room());
}

TEST_CASE("a share is taken only of what is limited") {
  CHECK(share_of(std::nullopt, 100, 4) == 100);
  CHECK(share_of(MemoryRoom{"x", 1000, 200}, 100, 4) == 50);
  CHECK(share_of(MemoryRoom{"x", 1000, 800}, 100, 4) == 100);
}
