// SPDX-License-Identifier: Apache-2.0
#include "loader/map_sizes.hpp"

#include "support/catch.hpp"

using namespace twtrace::loader;

namespace {

constexpr std::uint32_t kCpus = 2;

}  // namespace

TEST_CASE("sizes that fit stay as they are") {
  const MapSizes wanted;
  CHECK(fit(wanted, kernel_bytes(wanted, kCpus), kCpus) == wanted);
  CHECK(describe_smaller(wanted, wanted).empty());
}

TEST_CASE("sizes are halved until they fit") {
  MapSizes wanted;
  wanted.buckets = 1U << 20U;
  for (std::uint64_t bytes = kernel_bytes(wanted, kCpus); bytes >= kernel_bytes(least(wanted), kCpus);
       bytes -= bytes / 50) {
    const auto sizes = fit(wanted, bytes, kCpus);
    REQUIRE(sizes);
    CHECK(kernel_bytes(*sizes, kCpus) <= bytes);
    CHECK(sizes->rows % 256 == 0);
    CHECK(sizes->namespaces % 256 == 0);
    CHECK((sizes->ring_bytes & (sizes->ring_bytes - 1)) == 0);
    CHECK(sizes->ring_bytes >= 4096);
  }
  const auto half = fit(wanted, kernel_bytes(wanted, kCpus) - 1, kCpus);
  REQUIRE(half);
  CHECK(half->rows == wanted.rows / 2);
  CHECK(half->namespaces == wanted.namespaces / 2);
  CHECK(half->cgroups == wanted.cgroups / 2);
  CHECK(half->sockets == wanted.sockets / 2);
  CHECK(half->buckets == wanted.buckets / 2);
  CHECK(half->ring_bytes == wanted.ring_bytes / 2);
}

TEST_CASE("below the least sizes nothing fits") {
  const MapSizes wanted;
  const MapSizes smallest = least(wanted);
  CHECK(fit(wanted, kernel_bytes(smallest, kCpus), kCpus) == smallest);
  CHECK_FALSE(fit(wanted, kernel_bytes(smallest, kCpus) - 1, kCpus));
  CHECK(kernel_bytes(smallest, kCpus) < 7U << 20U);
}

TEST_CASE("what is wanted smaller than the least is left alone") {
  MapSizes wanted;
  wanted.ring_bytes = 4096;
  wanted.buckets = 1;
  CHECK(least(wanted).ring_bytes == 4096);
  CHECK(least(wanted).buckets == 1);
  CHECK(fit(wanted, kernel_bytes(least(wanted), kCpus), kCpus) == least(wanted));
}

TEST_CASE("every CPU costs, and so does every entry") {
  const MapSizes sizes;
  CHECK(kernel_bytes(sizes, 128) > kernel_bytes(sizes, 2));
  for (auto member : {&MapSizes::rows, &MapSizes::namespaces, &MapSizes::cgroups, &MapSizes::sockets,
                      &MapSizes::buckets, &MapSizes::ring_bytes}) {
    MapSizes more = sizes;
    more.*member *= 2;
    CHECK(kernel_bytes(more, kCpus) > kernel_bytes(sizes, kCpus));
  }
}

TEST_CASE("only what is smaller is named") {
  const MapSizes wanted;
  MapSizes sizes;
  sizes.rows = 16384;
  sizes.ring_bytes = 1U << 20U;
  CHECK(describe_smaller(sizes, wanted) == "16,384 owners, 1.0MiB of event ring");
}
