// SPDX-License-Identifier: Apache-2.0
#include "support/bpf_maps.hpp"

#include <bpf/bpf.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "base/unique_fd.hpp"

namespace twtrace::test {
namespace {

// fdinfo of a map has a line "map_id:\t12"; 0 for descriptors of anything else.
__u32 map_id(const std::filesystem::path& fdinfo) {
  std::ifstream file(fdinfo);
  std::string word;
  while (file >> word) {
    __u32 id = 0;
    if (word == "map_id:" && file >> id) return id;
  }
  return 0;
}

std::size_t count_keys(int map_fd, std::size_t key_size) {
  std::vector<std::byte> key(key_size);
  std::size_t count = 0;
  for (void* previous = nullptr; bpf_map_get_next_key(map_fd, previous, key.data()) == 0; previous = key.data())
    ++count;
  return count;
}

}  // namespace

std::size_t map_entries(pid_t pid, const std::string& name) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fdinfo")) {
    const __u32 id = map_id(entry.path());
    if (id == 0) continue;
    const base::UniqueFd map(bpf_map_get_fd_by_id(id));
    bpf_map_info info{};
    __u32 length = sizeof(info);
    if (map && bpf_obj_get_info_by_fd(map.get(), &info, &length) == 0 && name == info.name) {
      return count_keys(map.get(), info.key_size);
    }
  }
  throw std::runtime_error("no readable BPF map " + name);
}

}  // namespace twtrace::test
