// SPDX-License-Identifier: Apache-2.0
#include "demo/cgroups.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>

#include "base/unique_fd.hpp"
#include "kernel/text.hpp"

namespace twtrace::demo {
namespace {

constexpr std::string_view kPrefix = "twtrace-demo-";
constexpr int kRemoveAttempts = 200;
constexpr timespec kRemovePause{0, 10'000'000};

bool is_gone(pid_t pid) { return ::kill(pid, 0) != 0 && errno == ESRCH; }

/// A killed process leaves its cgroup a moment after it is reaped.
void remove_patiently(const std::filesystem::path& directory) {
  for (int attempt = 0; attempt < kRemoveAttempts; ++attempt) {
    if (::rmdir(directory.c_str()) == 0 || errno != EBUSY) return;
    ::nanosleep(&kRemovePause, nullptr);
  }
}

base::Result<void> make_directory(const std::filesystem::path& directory) {
  const int result = ::mkdir(directory.c_str(), 0755);
  const int saved_errno = errno;
  if (result != 0) return base::fail_errno(saved_errno, "cannot make cgroup " + directory.string());
  return {};
}

}  // namespace

std::optional<pid_t> pid_of_directory(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const auto pid = kernel::parse_number<std::int32_t>(name.substr(kPrefix.size()));
  return pid && *pid > 0 ? pid : std::nullopt;
}

base::Result<Cgroups> Cgroups::create(const std::filesystem::path& mount, pid_t owner,
                                      const std::vector<std::string>& services) {
  Cgroups cgroups;
  const std::filesystem::path parent = mount / (std::string(kPrefix) + std::to_string(owner));
  std::vector<std::filesystem::path> wanted{parent};
  for (const std::string& service : services) wanted.push_back(parent / service);
  for (const std::filesystem::path& directory : wanted) {
    if (auto made = make_directory(directory); !made) return tl::unexpected(made.error());
    cgroups.directories_.push_back(directory);
  }
  return cgroups;
}

Cgroups::~Cgroups() { std::for_each(directories_.rbegin(), directories_.rend(), remove_patiently); }

void Cgroups::remove_stale(const std::filesystem::path& mount, pid_t self, const std::vector<std::string>& services) {
  std::error_code error;
  std::vector<std::filesystem::path> stale;
  std::filesystem::directory_iterator entry(mount, error);
  while (!error && entry != std::filesystem::directory_iterator()) {
    const auto pid = pid_of_directory(entry->path().filename().native());
    // A cgroup with our own pid belongs to an earlier process, because this one has made none yet.
    if (pid && (*pid == self || is_gone(*pid))) stale.push_back(entry->path());
    entry.increment(error);
  }
  for (const std::filesystem::path& parent : stale) {
    for (const std::string& service : services) ::rmdir((parent / service).c_str());
    ::rmdir(parent.c_str());  // the kernel refuses this while anything is in it
  }
}

base::Result<void> join_cgroup(const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "cgroup.procs";
  const base::UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  int saved_errno = errno;
  if (!fd) return base::fail_errno(saved_errno, "cannot open " + file.string());
  const ssize_t written = ::write(fd.get(), "0", 1);
  saved_errno = errno;
  if (written != 1) return base::fail_errno(saved_errno, "cannot join cgroup " + directory.string());
  return {};
}

}  // namespace twtrace::demo
