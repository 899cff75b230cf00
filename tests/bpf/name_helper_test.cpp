// SPDX-License-Identifier: Apache-2.0
// A process that has dropped everything still learns the names that only root may read.
#include "trace/name_helper.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>

#include "kernel/cgroup_fs.hpp"
#include "kernel/containers.hpp"
#include "support/catch.hpp"
#include "support/cgroup_sandbox.hpp"
#include "support/environment.hpp"
#include "support/subprocess.hpp"
#include "trace/least_privilege.hpp"

using namespace twtrace;
using namespace twtrace::test;
using trace::NameHelper;

namespace {

/// What `code` returns in a child with mounts of its own.
int in_child(const std::function<int()>& code) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) ::_exit(100);
    ::_exit(code());
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 200;
}

/// From here on this process is nobody, without a capability.
bool drop_everything() {
  trace::Reduction reduction;
  reduction.account = trace::nobody();
  return static_cast<bool>(trace::reduce_privileges(reduction));
}

/// A container of docker that comes up now, in files that only root may read.
bool make_container(const std::string& id, const std::string& name) {
  const std::filesystem::path directory = "/var/lib/docker/containers/" + id;
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error || ::chmod("/var/lib/docker", 0700) != 0) return false;
  std::ofstream(directory / "config.v2.json") << R"({"ID":")" << id << R"(","Name":"/)" << name << R"("})";
  return true;
}

}  // namespace

TEST_CASE("a container that comes up later is named though nothing is kept") {
  if (!privileged()) return;
  const std::string id(64, 'a');
  CHECK(in_child([&] {
          std::filesystem::create_directories("/var/lib");
          if (::mount("none", "/var/lib", "tmpfs", 0, nullptr) != 0) return 1;
          auto started = NameHelper::start();
          if (!started || !*started) return 2;
          NameHelper& helper = **started;
          kernel::ContainerQuery query;
          query.id = id;
          query.cgroup = "/system.slice/docker-" + id + ".scope";
          if (helper.container(query)) return 3;  // there is none yet
          if (!make_container(id, "web")) return 4;
          if (!drop_everything()) return 5;
          if (kernel::find_container("/", query)) return 6;  // not for nobody
          const auto facts = helper.container(query);
          return facts && facts->name == "web" && facts->engine == "docker" ? 0 : 7;
        }) == 0);
}

TEST_CASE("namespaces and cgroups are found though nothing is kept") {
  if (!privileged()) return;
  const auto cgroups = kernel::CgroupFs::open(kernel::Procfs());
  REQUIRE(cgroups);
  const CgroupSandbox cgroup("helped");
  const auto id = cgroups->id_of_path(cgroup.path());
  REQUIRE(id);
  CHECK(in_child([&] {
          int ends[2];
          if (::pipe2(ends, O_CLOEXEC) != 0) return 6;
          const pid_t other = ::fork();  // in a namespace of its own, to which only it leads
          if (other == 0) {
            ::close(ends[1]);
            char byte = 0;
            const bool waited = ::unshare(CLONE_NEWNET) == 0 && ::read(ends[0], &byte, 1) == 0;
            ::_exit(waited ? 0 : 1);
          }
          const std::string link = "/proc/" + std::to_string(other) + "/ns/net";
          struct stat own {};
          struct stat its {};
          ::stat("/proc/self/ns/net", &own);
          if (!wait_until([&] { return ::stat(link.c_str(), &its) == 0 && its.st_ino != own.st_ino; })) return 1;
          int result = 0;
          {
            auto started = NameHelper::start();
            if (!started || !*started || !drop_everything()) return 2;
            const auto found = (*started)->namespaces({});
            const bool is_found = found && found->is_fresh && found->namespaces &&
                                  found->namespaces->contains(static_cast<std::uint32_t>(its.st_ino));
            if (!is_found) result = 3;
            kernel::NetnsCatalog alone;
            alone.refresh();
            if (alone.find(static_cast<std::uint32_t>(its.st_ino)) != nullptr) result = 4;  // not for nobody
            if ((*started)->path_of_cgroup(*id) != cgroup.path()) result = 5;
          }
          return result;
        }) == 0);
}

TEST_CASE("a helper that stands still is late, and is asked again once it goes on") {
  if (!privileged()) return;
  const auto cgroups = kernel::CgroupFs::open(kernel::Procfs());
  REQUIRE(cgroups);
  const CgroupSandbox first("late-first");
  const CgroupSandbox second("late-second");
  const auto first_id = cgroups->id_of_path(first.path());
  const auto second_id = cgroups->id_of_path(second.path());
  REQUIRE(first_id);
  REQUIRE(second_id);
  auto started = NameHelper::start();
  REQUIRE(started);
  REQUIRE(*started);
  NameHelper& helper = **started;
  REQUIRE(helper.path_of_cgroup(*first_id) == first.path());
  REQUIRE(::kill(helper.pid(), SIGSTOP) == 0);
  CHECK_FALSE(helper.path_of_cgroup(*first_id));
  CHECK(helper.is_late());
  CHECK_FALSE(helper.path_of_cgroup(*second_id));
  const auto found = helper.namespaces({});
  REQUIRE(found);
  CHECK_FALSE(found->is_fresh);
  CHECK_FALSE(found->namespaces);
  REQUIRE(::kill(helper.pid(), SIGCONT) == 0);
  CHECK(wait_until([&] { return !helper.is_late(); }));
  CHECK(helper.path_of_cgroup(*second_id) == second.path());
  CHECK(helper.answers());
}
