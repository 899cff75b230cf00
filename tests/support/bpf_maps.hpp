// SPDX-License-Identifier: Apache-2.0
// Looks into the BPF maps and programs of another process.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace twtrace::test {

/// How many keys the BPF map `name` of process `pid` holds. Needs root. Throws std::runtime_error if the process has no
/// such map or it cannot be read. If the map changes meanwhile, the number is only roughly right.
std::size_t map_entries(pid_t pid, const std::string& name);

/// Kernel memory of all BPF maps of process `pid` except those of its global variables, as the kernel counts it. Needs
/// root.
std::uint64_t map_bytes(pid_t pid);

/// How many connections have a slot (tw_slot) in process `pid`. Needs root. Throws as map_entries().
std::size_t taken_slots(pid_t pid);

/// How many namespaces have a slot (tw_netns) in process `pid`. Needs root. Throws as map_entries().
std::size_t taken_netns_slots(pid_t pid);

/// Occupies every slot of process `pid`, so that connections are kept in maps. Needs root. Throws as map_entries().
void occupy_slots(pid_t pid);

/// Makes every connection of process `pid` that was refused a bucket so much older. Needs root. Throws as
/// map_entries().
void age_refused(pid_t pid, std::chrono::milliseconds by);

/// The names of all BPF programs that process `pid` holds, sorted, each as often as it is loaded. Needs root.
std::vector<std::string> programs_held(pid_t pid);

/// Writes a name into every row of process `pid` that may be handed out. Needs root. Throws as map_entries().
void name_free_rows(pid_t pid, const std::string& comm);

}  // namespace twtrace::test
