// SPDX-License-Identifier: Apache-2.0
// How many entries the kernel side's maps hold, and how much memory that takes.
#pragma once

#include <twtrace/abi.h>

#include <cstdint>
#include <optional>
#include <string>

namespace twtrace::loader {

/// The maps that the loader sizes. The kernel charges them to the memory cgroup of this process (5.11, d05512618056).
/// It allocates them whole before the programs run, except those that grow (Features::growing_maps).
struct MapSizes {
  std::uint32_t rows = TW_MAX_ROWS;         ///< owners
  std::uint32_t namespaces = TW_MAX_NETNS;  ///< that are counted at one time
  std::uint32_t cgroups = TW_MAX_CGROUPS;   ///< whose path is remembered
  std::uint32_t sockets = TW_MAX_SOCKETS;   ///< between our FIN and their end, without a slot
  std::uint32_t buckets = 65536;            ///< whose row is remembered
  std::uint32_t ring_bytes = 4U << 20U;     ///< a power of two and a multiple of the page size

  bool operator==(const MapSizes&) const = default;
};

/// How many connections get a slot (tw_slot).
std::uint32_t slot_count(const MapSizes& sizes);

/// How many connections that were refused a bucket are remembered.
std::uint32_t refused_count(const MapSizes& sizes);

/// How many resets may wait until it is known which process feels them.
std::uint32_t felt_count(const MapSizes& sizes);

/// Kernel memory of all maps in bytes, computed from the sizes of their entries; `cpus`: possible CPUs. Pure.
std::uint64_t kernel_bytes(const MapSizes& sizes, std::uint32_t cpus);

/// `wanted`, halved until the maps take no more than `bytes`. Nothing when even least() takes more. Pure.
std::optional<MapSizes> fit(const MapSizes& wanted, std::uint64_t bytes, std::uint32_t cpus);

/// The smallest sizes that are still useful, never above `wanted`. Pure.
MapSizes least(const MapSizes& wanted);

/// "16,384 owners, 4,096 namespaces, ...": the sizes that are smaller than `wanted`. Pure.
std::string describe_smaller(const MapSizes& sizes, const MapSizes& wanted);

}  // namespace twtrace::loader
