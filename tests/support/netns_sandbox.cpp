// SPDX-License-Identifier: Apache-2.0
#include "support/netns_sandbox.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace twtrace::test {
namespace {

bool bring_loopback_up() {
  const base::UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
  request.ifr_flags = IFF_UP;
  return fd && ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0;
}

bool write_file(const std::string& path, const std::string& text) {
  const base::UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd && write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// Inherited descriptors of other sandboxes would keep their namespaces alive.
void close_others(int first, int second) {
  for (int fd = STDERR_FILENO + 1; fd < 1024; ++fd) {
    if (fd != first && fd != second) close(fd);
  }
}

// The namespace in which the new one is made sets the size of the hash.
bool unshare_netns(unsigned hash_chains) {
  if (unshare(CLONE_NEWNET) != 0) return false;
  const bool settable =
      hash_chains != 0 && write_file("/proc/sys/net/ipv4/tcp_child_ehash_entries", std::to_string(hash_chains));
  return !settable || unshare(CLONE_NEWNET) == 0;
}

// The body of the holder. Reports whether the namespace exists, then sleeps until the lifeline closes.
[[noreturn]] void hold_namespace(int report, int lifeline, unsigned hash_chains) {
  prctl(PR_SET_NAME, "tw-sandbox");
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  close_others(report, lifeline);
  const char fine = unshare_netns(hash_chains) && bring_loopback_up() ? 1 : 0;
  if (write(report, &fine, 1) != 1) _exit(1);
  char byte = 0;
  while (read(lifeline, &byte, 1) > 0) {
  }
  _exit(0);
}

std::deque<base::UniqueFd>& kept() {
  static std::deque<base::UniqueFd> descriptors;
  return descriptors;
}

std::string hexadecimal_mask(int cpu) {
  char text[32];
  std::snprintf(text, sizeof(text), "%x", 1U << static_cast<unsigned>(cpu));
  return text;
}

}  // namespace

NetnsSandbox::NetnsSandbox(const Sysctls& sysctls, unsigned hash_chains) {
  int report[2];
  int lifeline[2];
  if (pipe2(report, O_CLOEXEC) != 0 || pipe2(lifeline, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  const base::UniqueFd report_reader(report[0]);
  base::UniqueFd report_writer(report[1]);
  const base::UniqueFd lifeline_reader(lifeline[0]);
  lifeline_.reset(lifeline[1]);
  holder_ = fork();
  if (holder_ < 0) throw std::runtime_error("fork");
  if (holder_ == 0) {
    lifeline_.reset();
    hold_namespace(report[1], lifeline[0], hash_chains);
  }
  report_writer.reset();
  char fine = 0;
  if (read(report_reader.get(), &fine, 1) != 1 || fine != 1) throw std::runtime_error("no network namespace");
  fd_.reset(open(("/proc/" + std::to_string(holder_) + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!fd_ || fstat(fd_.get(), &status) != 0) throw std::runtime_error("namespace file");
  inode_ = status.st_ino;
  for (const auto& [name, value] : sysctls) set_sysctl(name, value);
}

void NetnsSandbox::release_kept() { kept().clear(); }

NetnsSandbox::~NetnsSandbox() {
  if (fd_) kept().push_back(std::move(fd_));
  if (kept().size() > kInodesKept) kept().pop_front();
  remove();
}

void NetnsSandbox::remove() {
  if (holder_ < 0) return;
  fd_.reset();
  lifeline_.reset();
  kill(holder_, SIGKILL);
  waitpid(holder_, nullptr, 0);
  holder_ = -1;
}

NetCounters NetnsSandbox::settled_counters() const {
  constexpr int kQuietReads = 8;
  constexpr std::chrono::milliseconds kPeriod{15};
  NetCounters last = counters();
  for (int quiet = 0; quiet < kQuietReads; ++quiet) {
    std::this_thread::sleep_for(kPeriod);
    const NetCounters now = counters();
    if (now != last) quiet = 0;
    last = now;
  }
  return last;
}

void NetnsSandbox::set_sysctl(const std::string& name, const std::string& value) const {
  if (!run_inside([&] { return write_file("/proc/sys/net/ipv4/" + name, value); })) {
    throw std::runtime_error("sysctl " + name);
  }
}

std::int64_t NetnsSandbox::limit() const {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  const base::UniqueFd reader(ends[0]);
  const base::UniqueFd writer(ends[1]);
  std::int64_t value = -1;
  const bool fine = run_inside([&] {
    std::ifstream("/proc/sys/net/ipv4/tcp_max_tw_buckets") >> value;
    return write(writer.get(), &value, sizeof(value)) == sizeof(value);
  });
  if (!fine || read(reader.get(), &value, sizeof(value)) != sizeof(value)) throw std::runtime_error("limit");
  return value;
}

bool NetnsSandbox::steer_softirqs_to(int cpu) const {
  // sysfs shows the devices of the namespace in which it was mounted, so this needs a separate mount.
  return run_inside([cpu] {
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           mount("sysfs", "/sys", "sysfs", 0, nullptr) == 0 &&
           write_file("/sys/class/net/lo/queues/rx-0/rps_cpus", hexadecimal_mask(cpu));
  });
}

bool NetnsSandbox::run_inside(const std::function<bool()>& action) const {
  const pid_t child = fork();
  if (child < 0) return false;
  if (child == 0) _exit(setns(fd_.get(), CLONE_NEWNET) == 0 && action() ? 0 : 1);
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace twtrace::test
