// SPDX-License-Identifier: Apache-2.0
#include "support/memory_cgroup.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "support/environment.hpp"
#include "support/subprocess.hpp"

namespace twtrace::test {
namespace {

struct Hierarchy {
  std::string mount_point;
  std::string limit;  ///< the file of the limit
};

bool has_word(const std::string& text, const std::string& wanted) {
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (word == wanted) return true;
  }
  return false;
}

std::string content_of(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

/// Does not switch the controller on. In v2 it may be off below the root.
Hierarchy find_hierarchy() {
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string ignored;
    std::string mount_point;
    words >> ignored >> ignored >> ignored >> ignored >> mount_point;
    const std::string options = line.substr(line.rfind(' ') + 1);
    const bool v1 =
        line.find(" - cgroup ") != std::string::npos && ("," + options + ",").find(",memory,") != std::string::npos;
    if (v1) return {mount_point, "memory.limit_in_bytes"};
    const bool v2 = line.find(" - cgroup2 ") != std::string::npos;
    if (v2 && has_word(content_of(mount_point + "/cgroup.subtree_control"), "memory"))
      return {mount_point, "memory.max"};
  }
  return {};
}

}  // namespace

std::unique_ptr<MemoryCgroup> MemoryCgroup::make(std::uint64_t limit_bytes) {
  static int serial = 0;
  const Hierarchy hierarchy = find_hierarchy();
  if (hierarchy.mount_point.empty()) {
    mark_skipped("no memory controller to make cgroups with");
    return nullptr;
  }
  const std::string directory =
      hierarchy.mount_point + "/twtrace-test-" + std::to_string(getpid()) + "-" + std::to_string(++serial);
  if (mkdir(directory.c_str(), 0755) != 0) throw std::runtime_error("mkdir " + directory);
  std::unique_ptr<MemoryCgroup> made(new MemoryCgroup(directory, hierarchy.limit));
  std::ofstream(made->limit_file()) << limit_bytes;
  return made;
}

MemoryCgroup::MemoryCgroup(std::string directory, std::string limit)
    : directory_(std::move(directory)), limit_(std::move(limit)) {}

MemoryCgroup::~MemoryCgroup() {
  // A killed process leaves its cgroup a moment after it was reaped.
  wait_until([this] { return rmdir(directory_.c_str()) == 0; }, milliseconds(2000));
}

std::uint64_t MemoryCgroup::times_at_limit() const {
  if (limit_ == "memory.limit_in_bytes") return std::stoull(content_of(directory_ + "/memory.failcnt"));
  std::istringstream events(content_of(directory_ + "/memory.events"));
  std::string name;
  for (std::uint64_t count = 0; events >> name >> count;) {
    if (name == "max") return count;
  }
  throw std::runtime_error("no count of the times at the limit in " + directory_);
}

std::vector<std::string> MemoryCgroup::around(const std::vector<std::string>& argv) const {
  std::vector<std::string> line = {"sh", "-c", "echo $$ >\"$0\" && exec \"$@\"", directory_ + "/cgroup.procs"};
  line.insert(line.end(), argv.begin(), argv.end());
  return line;
}

}  // namespace twtrace::test
