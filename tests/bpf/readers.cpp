// SPDX-License-Identifier: Apache-2.0
#include "bpf/readers.hpp"

#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

#include "support/catch.hpp"

namespace twtrace::test {

loader::Features kernel_features() {
  const auto found = loader::probe_features("", {});
  REQUIRE(found);
  return *found;
}

loader::Readers open_readers(std::uint64_t run_ns, std::optional<loader::TracerState> tracer) {
  auto readers = loader::Readers::open(kernel_features(), {{}, run_ns, tracer});
  INFO((readers ? std::string() : readers.error().what));
  REQUIRE(readers);
  return std::move(*readers);
}

std::uint64_t id_of(loader::Readers& readers, int netns_fd) {
  struct stat status {};
  REQUIRE(fstat(netns_fd, &status) == 0);
  const auto readings = readers.namespaces().read(false);
  REQUIRE(readings);
  for (const tw_namespace_reading& reading : *readings) {
    if (reading.inum == status.st_ino && reading.exiting == 0) return reading.id;
  }
  FAIL("no namespace with inode number " << status.st_ino);
  return 0;
}

void wait_gone(loader::Readers& readers, std::uint64_t id) {
  while (true) {
    const auto readings = readers.namespaces().read(false);
    REQUIRE(readings);
    if (std::none_of(readings->begin(), readings->end(), [id](const auto& reading) { return reading.id == id; }))
      return;
    std::this_thread::yield();
  }
}

int as_nobody(const std::function<int()>& action) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    const bool dropped = setgroups(0, nullptr) == 0 && setresgid(kNobody, kNobody, kNobody) == 0 &&
                         setresuid(kNobody, kNobody, kNobody) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    _exit(dropped ? action() : 99);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Since 5.19. So is bpf_map_lookup_percpu_elem.
bool runs_unprivileged() {
  std::ifstream symbols("/proc/kallsyms");
  for (std::string address, type, name, rest; symbols >> address >> type >> name && std::getline(symbols, rest);) {
    if (name == "bpf_map_lookup_percpu_elem") return true;
  }
  return false;
}

}  // namespace twtrace::test
