// SPDX-License-Identifier: Apache-2.0
#include "loader/map_sizes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

#include "base/format.hpp"

namespace twtrace::loader {
namespace {

/// Halving further would save little. Rows and namespaces are multiples of 256, see handed_out() in tracer.cpp.
constexpr MapSizes kLeast{2048, 256, 256, 2048, 8192, 1U << 16U};
constexpr unsigned kMostHalvings = 14;  // a ring of 1 GiB, the largest, becomes the least

constexpr std::uint64_t kPage = 4096;
// struct htab_elem and struct bucket of kernel/bpf/hashtab.c, and struct overflow_counter of bpf/.
constexpr std::uint64_t kHashElement = 48;
constexpr std::uint64_t kHashBucket = 16;
constexpr std::uint64_t kOverflowCounter = 16;
// The map "pairs" of bpf/lib/pair.bpf.h has one size.
constexpr std::uint64_t kPairs = 4096;
constexpr std::uint64_t kPairKey = 12;
constexpr std::uint64_t kPair = 104;

std::uint64_t rounded(std::uint64_t bytes, std::uint64_t to) { return (bytes + to - 1) / to * to; }

std::uint64_t array(std::uint64_t entries, std::uint64_t value) { return rounded(entries * rounded(value, 8), kPage); }

/// Preallocated: an element per entry, one more for each CPU, and the heads of the chains.
std::uint64_t hash(std::uint64_t entries, std::uint64_t key, std::uint64_t value, std::uint64_t cpus) {
  const std::uint64_t element = kHashElement + rounded(key, 8) + rounded(value, 8);
  return (entries + cpus) * element + std::bit_ceil(entries) * kHashBucket;
}

std::uint32_t halved(std::uint32_t wanted, std::uint32_t least, unsigned times) {
  return std::max(wanted >> times, std::min(least, wanted));
}

MapSizes halved(const MapSizes& wanted, unsigned times) {
  return {halved(wanted.rows, kLeast.rows, times),       halved(wanted.namespaces, kLeast.namespaces, times),
          halved(wanted.cgroups, kLeast.cgroups, times), halved(wanted.sockets, kLeast.sockets, times),
          halved(wanted.buckets, kLeast.buckets, times), halved(wanted.ring_bytes, kLeast.ring_bytes, times)};
}

}  // namespace

std::uint32_t slot_count(const MapSizes& sizes) {
  return std::bit_ceil(std::max(sizes.buckets, 1U << TW_SLOT_TAG_SHIFT));
}

std::uint32_t refused_count(const MapSizes& sizes) {
  constexpr std::uint32_t kShare = TW_MAX_SOCKETS / TW_MAX_REFUSED;
  return std::max(sizes.sockets / kShare, 1U);
}

std::uint32_t felt_count(const MapSizes& sizes) {
  constexpr std::uint32_t kShare = TW_MAX_SOCKETS / TW_MAX_FELT;
  return std::max(sizes.sockets / kShare, 1U);
}

std::uint64_t kernel_bytes(const MapSizes& sizes, std::uint32_t cpus) {
  constexpr std::uint64_t kNumber = sizeof(std::uint32_t);
  constexpr std::uint64_t kCookie = sizeof(std::uint64_t);
  return array(sizes.rows, sizeof(tw_row)) + hash(sizes.rows, sizeof(tw_row_key), kNumber, cpus) +
         array(sizes.rows, kNumber) + array(sizes.rows, sizeof(tw_owner_rows)) +
         hash(sizes.rows, sizeof(tw_process), kNumber, cpus) + array(sizes.namespaces, sizeof(tw_netns)) +
         hash(sizes.namespaces, kCookie, kNumber, cpus) + array(sizes.namespaces, kNumber) +
         cpus * array(sizes.namespaces, kOverflowCounter) + hash(sizes.cgroups, kCookie, sizeof(tw_cgroup), cpus) +
         array(slot_count(sizes), sizeof(tw_slot)) + hash(sizes.sockets, kCookie, sizeof(tw_socket), cpus) +
         hash(sizes.buckets, kCookie, sizeof(tw_bucket), cpus) + hash(kPairs, kPairKey, kPair, cpus) +
         hash(refused_count(sizes), kCookie, sizeof(tw_refused), cpus) + array(refused_count(sizes), kCookie) +
         hash(felt_count(sizes), kCookie, sizeof(tw_felt), cpus) + array(TW_MAX_MANY, sizeof(tw_ports)) +
         array(TW_MAX_MANY, kNumber) + hash(TW_MAX_LISTENERS, kCookie, kNumber, cpus) +
         array(TW_MAX_LISTENERS, sizeof(tw_closed_listener)) + sizes.ring_bytes;
}

MapSizes least(const MapSizes& wanted) { return halved(wanted, kMostHalvings); }

std::optional<MapSizes> fit(const MapSizes& wanted, std::uint64_t bytes, std::uint32_t cpus) {
  for (unsigned times = 0; times <= kMostHalvings; ++times) {
    const MapSizes sizes = halved(wanted, times);
    if (kernel_bytes(sizes, cpus) <= bytes) return sizes;
  }
  return std::nullopt;
}

std::string describe_smaller(const MapSizes& sizes, const MapSizes& wanted) {
  std::vector<std::string> parts;
  const auto add = [&parts](std::uint32_t now, std::uint32_t before, const char* what) {
    if (now < before) parts.push_back(fmt::format("{} {}", fmt::group_digits(now), what));
  };
  add(sizes.rows, wanted.rows, "owners");
  add(sizes.namespaces, wanted.namespaces, "namespaces");
  add(sizes.cgroups, wanted.cgroups, "cgroups");
  add(sizes.sockets, wanted.sockets, "sockets");
  add(sizes.buckets, wanted.buckets, "buckets");
  if (sizes.ring_bytes < wanted.ring_bytes) parts.push_back(base::bytes(sizes.ring_bytes) + " of event ring");
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace twtrace::loader
