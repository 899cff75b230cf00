// SPDX-License-Identifier: Apache-2.0
#include "role.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <new>

#include "places.hpp"
#include "tcp.hpp"

namespace twtrace::workload {
namespace {

// Nothing may hang for ever, not even in an emulated machine.
constexpr unsigned kLifetimeSeconds = 240;

void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof(set), &set) != 0) die("sched_setaffinity");
}

}  // namespace

Shared& map_shared() {
  void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) die("mmap");
  return *new (memory) Shared;
}

void Link::tell() const {
  if (write(fd_, "x", 1) != 1) die("the other process of the workload has ended");
}

void Link::wait() const {
  char byte = 0;
  if (read(fd_, &byte, 1) == 1) return;
  errno = EPIPE;
  die("the other process of the workload has ended");
}

void become(const RoleIdentity& identity, int cpu) {
  prctl(PR_SET_NAME, identity.comm);
  if (cpu >= 0) pin(cpu);
  if (!identity.cgroup.empty()) enter_cgroup(identity.cgroup);
  const auto uid = static_cast<uid_t>(identity.uid);
  if (identity.uid >= 0 && setresuid(uid, uid, uid) != 0) die("setresuid");
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // after setresuid, which clears it
  alarm(kLifetimeSeconds);
}

pid_t fork_role(const RoleIdentity& identity, RoleFunction function, Context& context, int foreign_end) {
  const pid_t pid = fork();
  if (pid < 0) die("fork");
  if (pid > 0) return pid;
  close(foreign_end);
  become(identity, context.options.cpu);
  function(context);
  _exit(0);
}

pid_t fork_other(const char* comm) {
  const pid_t pid = fork();
  if (pid < 0) die("fork");
  if (pid > 0) return pid;
  prctl(PR_SET_NAME, comm);
  alarm(kLifetimeSeconds);
  return 0;
}

pid_t fork_owner(Context& context, const char* comm) {
  const pid_t pid = fork_other(comm);
  if (pid == 0) context.shared.owners[context.shared.owner_count++] = getpid();
  return pid;
}

bool wait_for(pid_t pid, int signal) {
  int status = 0;
  if (waitpid(pid, &status, 0) != pid) return false;
  if (signal != 0) return WIFSIGNALED(status) && WTERMSIG(status) == signal;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace twtrace::workload
