// SPDX-License-Identifier: Apache-2.0
#include "loader/growing_array.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <fstream>
#include <utility>

#include "base/unique_fd.hpp"
#include "support/catch.hpp"

using namespace twtrace;
using loader::GrowingArray;

namespace {

/// Not a divisor of a page, as those of the kernel side.
struct Value {
  std::uint64_t number = 0;
  std::uint64_t more[30] = {};
};

constexpr std::size_t kCount = 20'000;

/// A file in place of a map: value N has the number N.
base::UniqueFd numbered() {
  base::UniqueFd file(memfd_create("values", MFD_CLOEXEC));
  REQUIRE(ftruncate(file.get(), kCount * sizeof(Value)) == 0);
  for (std::size_t i = 0; i < kCount; ++i) {
    const Value value{i, {}};
    REQUIRE(pwrite(file.get(), &value, sizeof(value), static_cast<off_t>(i * sizeof(value))) == sizeof(value));
  }
  return file;
}

/// Of this process, in the file.
std::size_t mapped_kib() {
  std::ifstream maps("/proc/self/smaps");
  std::size_t sum = 0;
  bool is_file = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.find("memfd:values") != std::string::npos) is_file = true;
    if (is_file && line.starts_with("Size:")) {
      sum += std::stoul(line.substr(5));
      is_file = false;
    }
  }
  return sum;
}

}  // namespace

TEST_CASE("an array maps what is used, and what was mapped stays where it is") {
  const base::UniqueFd file = numbered();
  auto array = GrowingArray<Value>::reserve(file.get(), kCount, "values");
  REQUIRE(array);
  CHECK(array->size() == kCount);
  Value* const begin = array->first(1).data();
  CHECK(mapped_kib() <= 512);
  for (const std::size_t index : {0U, 1U, 1'000U, 1'057U, 1'058U, 5'000U, 4'999U, 19'999U}) {
    CHECK(array->at(index).number == index);
    CHECK(&array->at(index) == begin + index);
  }
  const std::span<Value> all = array->first(kCount);
  CHECK(all.data() == begin);
  for (std::size_t i = 0; i < kCount; ++i) REQUIRE(all[i].number == i);
  CHECK(mapped_kib() == (kCount * sizeof(Value) + 4095) / 4096 * 4);

  array->at(7).number = 42;  // what it writes is in the map
  Value value;
  REQUIRE(pread(file.get(), &value, sizeof(value), 7 * sizeof(value)) == sizeof(value));
  CHECK(value.number == 42);

  GrowingArray<Value> moved = std::move(*array);
  CHECK(moved.at(19'999).number == 19'999);
}

TEST_CASE("an array grows in few steps, and gives everything back") {
  const base::UniqueFd file = numbered();
  {
    auto array = GrowingArray<Value>::reserve(file.get(), kCount, "values");
    REQUIRE(array);
    std::size_t steps = 0;
    std::size_t before = mapped_kib();
    for (std::size_t i = 0; i < kCount; i += 100) {
      array->at(i);
      const std::size_t now = mapped_kib();
      if (now != before) ++steps;
      before = now;
    }
    CHECK(steps <= 5);
  }
  CHECK(mapped_kib() == 0);
}

TEST_CASE("what is no array cannot be mapped") {
  const auto array = GrowingArray<Value>::reserve(-1, kCount, "values");
  REQUIRE_FALSE(array);
  CHECK(array.error().what == "cannot map BPF array values: mmap: Bad file descriptor");
}
