// SPDX-License-Identifier: Apache-2.0
#include "support/bpf_maps.hpp"

#include <bpf/bpf.h>
#include <twtrace/abi.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/unique_fd.hpp"
#include "loader/mapped_array.hpp"

namespace twtrace::test {
namespace {

// The fdinfo of a map has lines such as "map_id:\t12", that of a program "prog_id:\t34". Returns 0 for other
// descriptors.
std::uint64_t field_of(const std::filesystem::path& fdinfo, const std::string& field) {
  std::ifstream file(fdinfo);
  std::string word;
  while (file >> word) {
    std::uint64_t value = 0;
    if (word == field && file >> value) return value;
  }
  return 0;
}

__u32 map_id(const std::filesystem::path& fdinfo) { return static_cast<__u32>(field_of(fdinfo, "map_id:")); }

std::size_t count_keys(int map_fd, std::size_t key_size) {
  std::vector<std::byte> key(key_size);
  std::size_t count = 0;
  for (void* previous = nullptr; bpf_map_get_next_key(map_fd, previous, key.data()) == 0; previous = key.data())
    ++count;
  return count;
}

/// A map and the kernel's information about it.
struct Map {
  base::UniqueFd fd;
  bpf_map_info info{};
};

Map find_map(pid_t pid, const std::string& name) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fdinfo")) {
    const __u32 id = map_id(entry.path());
    if (id == 0) continue;
    Map map{base::UniqueFd(bpf_map_get_fd_by_id(id))};
    __u32 length = sizeof(map.info);
    if (map.fd && bpf_obj_get_info_by_fd(map.fd.get(), &map.info, &length) == 0 && name == map.info.name) return map;
  }
  throw std::runtime_error("no readable BPF map " + name);
}

template <class T>
loader::MappedArray<T> map_array(pid_t pid, const std::string& name) {
  const Map map = find_map(pid, name);
  auto array = loader::MappedArray<T>::map(map.fd.get(), map.info.max_entries, name);
  if (!array) throw std::runtime_error(array.error().what);
  return std::move(*array);
}

}  // namespace

std::uint64_t map_bytes(pid_t pid) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fdinfo")) {
    const __u32 id = map_id(entry.path());
    if (id == 0) continue;
    const base::UniqueFd fd(bpf_map_get_fd_by_id(id));
    bpf_map_info info{};
    __u32 length = sizeof(info);
    if (!fd || bpf_obj_get_info_by_fd(fd.get(), &info, &length) != 0) continue;
    const bool variables = std::string(info.name).find(".") != std::string::npos;  // .bss, .rodata
    if (!variables) bytes += field_of(entry.path(), "memlock:");
  }
  return bytes;
}

std::size_t map_entries(pid_t pid, const std::string& name) {
  const Map map = find_map(pid, name);
  return count_keys(map.fd.get(), map.info.key_size);
}

std::size_t taken_slots(pid_t pid) {
  const auto slots = map_array<tw_slot>(pid, "slots");
  return static_cast<std::size_t>(std::count_if(slots.values().begin(), slots.values().end(), [](const tw_slot& slot) {
    return __atomic_load_n(&slot.state, __ATOMIC_ACQUIRE) != 0;
  }));
}

std::size_t taken_netns_slots(pid_t pid) {
  const auto slots = map_array<tw_netns>(pid, "namespaces");
  return static_cast<std::size_t>(std::count_if(slots.values().begin(), slots.values().end(), [](const tw_netns& slot) {
    return __atomic_load_n(&slot.in_use, __ATOMIC_ACQUIRE) != 0;
  }));
}

void occupy_slots(pid_t pid) {
  const auto slots = map_array<tw_slot>(pid, "slots");
  for (tw_slot& slot : slots.values()) __atomic_store_n(&slot.state, 1U, __ATOMIC_RELEASE);
}

void name_free_rows(pid_t pid, const std::string& comm) {
  const auto rows = map_array<tw_row>(pid, "rows");
  for (tw_row& row : rows.values()) {
    if (row.in_use == 0) comm.copy(row.comm, sizeof(row.comm) - 1);
  }
}

void age_refused(pid_t pid, std::chrono::milliseconds by) {
  const Map map = find_map(pid, "refused_connect");  // as the kernel cuts it
  std::vector<std::uint64_t> keys;  // all of them first: an update moves its key to the front of a chain
  std::uint64_t next = 0;
  for (void* previous = nullptr; bpf_map_get_next_key(map.fd.get(), previous, &next) == 0; previous = &next) {
    keys.push_back(next);
  }
  for (const std::uint64_t key : keys) {
    tw_refused refused{};
    if (bpf_map_lookup_elem(map.fd.get(), &key, &refused) != 0) continue;
    refused.until_ms -= static_cast<std::uint32_t>(by.count());
    if (bpf_map_update_elem(map.fd.get(), &key, &refused, BPF_EXIST) != 0) {
      throw std::runtime_error("the map of refused connections cannot be written");
    }
  }
}

std::vector<std::string> programs_held(pid_t pid) {
  std::set<__u32> ids;  // a link holds the program, too
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fdinfo")) {
    ids.insert(static_cast<__u32>(field_of(entry.path(), "prog_id:")));
  }
  std::vector<std::string> names;
  for (const __u32 id : ids) {
    const base::UniqueFd fd(bpf_prog_get_fd_by_id(id));
    bpf_prog_info info{};
    __u32 length = sizeof(info);
    if (fd && bpf_obj_get_info_by_fd(fd.get(), &info, &length) == 0) names.emplace_back(info.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace twtrace::test
