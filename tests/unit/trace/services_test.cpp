// SPDX-License-Identifier: Apache-2.0
#include "trace/services.hpp"

#include <sys/stat.h>

#include <map>
#include <set>
#include <string>
#include <utility>

#include "support/catch.hpp"
#include "unit/kernel/temp_tree.hpp"

using namespace twtrace;
using namespace twtrace::trace;

namespace {

/// A host made of files, and what the kernel side has recorded of it.
struct Host {
  kernel::TempTree tree;
  std::map<std::uint64_t, loader::CgroupPath> recorded;
  int containers_asked = 0;
  int paths_asked = 0;

  Services services() {
    tree.directory("sys/fs/cgroup");
    tree.file("proc/self/mountinfo", "41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    tree.file("proc/1/cgroup", "0::/\n");
    const kernel::Procfs procfs(tree / "proc");
    return {kernel::CgroupFs::open(procfs, tree.root()).value(), procfs,
            [this](const kernel::ContainerQuery& query) -> std::optional<kernel::ContainerFacts> {
              ++containers_asked;
              kernel::ContainerFacts facts;
              facts.engine = "docker";
              facts.name = "name-of-" + query.id.substr(0, 4);
              return facts;
            }};
  }
  Services::RecordedPath paths() {
    return [this](std::uint64_t id) -> std::optional<loader::CgroupPath> {
      ++paths_asked;
      const auto found = recorded.find(id);
      return found == recorded.end() ? std::nullopt : std::optional(found->second);
    };
  }
  std::uint64_t cgroup(const std::string& path) const {
    tree.directory("sys/fs/cgroup" + path);
    struct stat status {};
    REQUIRE(::stat((tree / ("sys/fs/cgroup" + path)).c_str(), &status) == 0);
    return status.st_ino;
  }
  void process(std::uint32_t pid, const std::string& comm, const std::string& cgroup_path) const {
    const std::string place = "proc/" + std::to_string(pid);
    tree.file(place + "/stat",
              std::to_string(pid) + " (" + comm + ") S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 77 0 0\n");
    tree.file(place + "/cgroup", "0::" + cgroup_path + "\n");
  }
};

}  // namespace

TEST_CASE("a recorded path names a service, and is asked for once") {
  Host host;
  Services services = host.services();
  host.recorded[7] = {"/system.slice/nginx.service", false};
  CHECK(services.of_cgroup(7, host.paths()).name == "nginx.service");
  host.recorded.clear();
  CHECK(services.of_cgroup(7, host.paths()).name == "nginx.service");
  CHECK(host.paths_asked == 1);
}

TEST_CASE("a cgroup that nothing leads to is unknown, and asked for again") {
  Host host;
  Services services = host.services();
  CHECK(services.of_cgroup(0, host.paths()).kind == "unknown");
  CHECK(host.paths_asked == 0);
  CHECK(services.of_cgroup(7, host.paths()).kind == "unknown");
  host.recorded[7] = {"/system.slice/late.service", false};
  CHECK(services.of_cgroup(7, host.paths()).name == "late.service");
}

TEST_CASE("the cgroup tree has the whole of a path that was recorded cut") {
  Host host;
  Services services = host.services();
  const std::uint64_t id = host.cgroup("/system.slice/long.service");
  host.recorded[id] = {"/long.service", true};
  CHECK(services.of_cgroup(id, host.paths()).cgroup == "/system.slice/long.service");
  constexpr std::uint64_t kGone = 3;
  host.recorded[kGone] = {"/gone.service", true};
  CHECK(services.of_cgroup(kGone, host.paths()).name == "gone.service");
}

TEST_CASE("without a cgroup tree, only what was recorded names a service") {
  Host host;
  Services services(std::nullopt, kernel::Procfs(host.tree / "proc"), {});
  host.process(31, "nginx", "/system.slice/nginx.service");
  CHECK(services.of_process(31, host.paths()).kind == "unknown");
  host.recorded[7] = {"/system.slice/nginx.service", false};
  CHECK(services.of_cgroup(7, host.paths()).name == "nginx.service");
}

TEST_CASE("a container is looked up once for all its cgroups") {
  Host host;
  Services services = host.services();
  const std::string container = "/system.slice/docker-" + std::string(64, 'a') + ".scope";
  host.recorded[7] = {container, false};
  host.recorded[8] = {container + "/inner", false};
  CHECK(services.of_cgroup(7, host.paths()).name == "name-of-aaaa");
  CHECK(services.of_cgroup(8, host.paths()).name == "name-of-aaaa");
  CHECK(host.containers_asked == 1);
}

TEST_CASE("processes have the service of their cgroup, and those of one name and service count once") {
  Host host;
  Services services = host.services();
  host.cgroup("/system.slice/nginx.service");
  host.process(31, "nginx", "/system.slice/nginx.service");
  host.process(32, "nginx", "/system.slice/nginx.service");
  host.process(33, "stray", "/system.slice/gone.service");  // no such cgroup any more: its path still names it
  host.tree.file("proc/34/cgroup", "0::/\n");               // ended between two look-ups
  const auto seen = services.processes(host.paths());
  REQUIRE(seen.size() == 2);
  std::map<std::string, std::string> names;
  for (const auto& process : seen) names[process.comm] = process.service.name;
  CHECK(names == std::map<std::string, std::string>{{"nginx", "nginx.service"}, {"stray", "gone.service"}});
  CHECK(services.of_process(35, host.paths()).kind == "unknown");
}

TEST_CASE("a service is forgotten when no row refers to it, after its record was given back") {
  Host host;
  Services services = host.services();
  std::set<std::uint64_t> forgotten;
  const auto forget = [&](std::uint64_t id) {
    host.recorded.erase(id);
    return forgotten.insert(id).second;
  };
  host.recorded[7] = {"/system.slice/nginx.service", false};
  host.recorded[8] = {"/system.slice/redis.service", false};
  services.of_cgroup(7, host.paths());
  services.of_cgroup(8, host.paths());
  services.give_back({8}, 100, forget);
  CHECK(forgotten == std::set<std::uint64_t>{7});
  CHECK(services.of_cgroup(8, host.paths()).name == "redis.service");
  SECTION("a row that was made meanwhile keeps its service") {
    services.give_back({7, 8}, 100, forget);
    services.give_back({7, 8}, 100, forget);
    CHECK(services.of_cgroup(7, host.paths()).name == "nginx.service");
    CHECK(host.paths_asked == 2);
  }
  SECTION("a later row has a new record") {
    services.give_back({8}, 100, forget);
    host.recorded[7] = {"/system.slice/other.service", false};
    CHECK(services.of_cgroup(7, host.paths()).name == "other.service");
    CHECK(host.paths_asked == 3);
  }
}

TEST_CASE("beyond the bound records of cgroups with rows are given back, too, and their services stay") {
  Host host;
  Services services = host.services();
  const auto forget = [&host](std::uint64_t id) { return host.recorded.erase(id) != 0; };
  for (const std::uint64_t id : {7U, 8U, 9U}) {
    host.recorded[id] = {"/job" + std::to_string(id) + ".service", false};
    services.of_cgroup(id, host.paths());
  }
  services.give_back({7, 8, 9}, 3, forget);
  CHECK(host.recorded.size() == 3);
  services.give_back({7, 8, 9}, 2, forget);
  CHECK(host.recorded.empty());
  services.give_back({7, 8, 9}, 2, forget);
  CHECK(services.of_cgroup(8, host.paths()).name == "job8.service");
  CHECK(host.paths_asked == 3);
}

TEST_CASE("a record that cannot be given back now is given back later") {
  Host host;
  Services services = host.services();
  host.recorded[7] = {"/system.slice/nginx.service", false};
  services.of_cgroup(7, host.paths());
  services.give_back({}, 100, [](std::uint64_t) { return false; });
  services.give_back({}, 100, [&host](std::uint64_t id) { return host.recorded.erase(id) != 0; });
  CHECK(host.recorded.empty());
}
